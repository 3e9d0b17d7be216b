import { chainHash, leafHash, TreeHasher } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';

const HASH_BYTES = 32;

/** Every eighth level of the tree is kept: roots of 256, 65,536, … leaves. */
export const TILE_LEVELS = 8;

/** How far the trail has been hashed: all there is to go on from. */
export interface TrailHead {
  readonly size: number;
  readonly chain: Buffer;
  /** Roots of the perfect subtrees, the largest first, one after another. */
  readonly frontier: Buffer;
}

/** What a batch of events adds. Hashes stand one after another, so that each column is one parameter of one statement. */
export interface ChainedBatch {
  readonly leaves: Buffer;
  readonly chains: Buffer;
  readonly tiles: {
    readonly levels: number[];
    readonly indexes: number[];
    readonly hashes: Buffer[];
  };
  readonly head: TrailHead;
}

/** Chains a batch of event digests, one after another, to the head. */
export function chainBatch(head: TrailHead, digests: Buffer): ChainedBatch {
  const leaves = Buffer.allocUnsafe(digests.length);
  const chains = Buffer.allocUnsafe(digests.length);
  const tiles: ChainedBatch['tiles'] = { levels: [], indexes: [], hashes: [] };
  const tree = treeOf(head);
  let chain: Uint8Array = head.chain;
  for (let at = 0; at < digests.length; at += HASH_BYTES) {
    const leaf = leafHash(digests.subarray(at, at + HASH_BYTES), nodeSha256);
    chain = chainHash(chain, leaf, nodeSha256);
    leaves.set(leaf, at);
    chains.set(chain, at);
    tree.append(leaf, ({ level, index, hash }) => {
      if (level % TILE_LEVELS !== 0) return;
      tiles.levels.push(level / TILE_LEVELS);
      tiles.indexes.push(index);
      tiles.hashes.push(Buffer.from(hash));
    });
  }
  const next = {
    size: tree.size,
    chain: Buffer.from(chain),
    frontier: Buffer.concat(tree.frontier()),
  };
  return { leaves, chains, tiles, head: next };
}

/** The root over all events that have a place. */
export function rootOfHead(head: TrailHead): Uint8Array {
  return treeOf(head).root();
}

function treeOf({ size, frontier }: TrailHead): TreeHasher {
  const roots: Buffer[] = [];
  for (let at = 0; at < frontier.length; at += HASH_BYTES)
    roots.push(frontier.subarray(at, at + HASH_BYTES));
  return new TreeHasher(nodeSha256, size, roots);
}
