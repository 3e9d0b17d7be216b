import {
  bytesToHex,
  inclusionProof,
  subtreesOf,
  type Sha256,
  type SubtreeRoot,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import type { Tx } from '../platform/db/db.js';
import { loadSubtrees } from './subtrees.js';

/** Audit paths, in hex, of many places in the tree of `size`, with one read of what they are made of. Each place is below `size`. */
export async function inclusionPaths(
  tx: Tx,
  places: readonly number[],
  size: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  if (places.length === 0) return new Map();
  const compute = (root: SubtreeRoot, sha256: Sha256) =>
    places.map((place) => inclusionProof(place, size, root, sha256));
  const root = await loadSubtrees(tx, subtreesOf(compute));
  const paths = compute(root, nodeSha256);
  return new Map(places.map((place, i) => [place, (paths[i] ?? []).map(bytesToHex)]));
}
