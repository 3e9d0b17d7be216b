import { nodeHash, type SubtreeRoot } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import type { Tx } from '../platform/db/db.js';
import { TILE_LEVELS } from './chain-batch.js';

interface Node {
  readonly level: number;
  readonly index: number;
}

/** Stored hashes of one level of tiles (level 0: leaf hashes), `count` of them from `first` on. */
interface TileRange {
  readonly level: number;
  readonly first: number;
  readonly count: number;
}

/**
 * Loads what the roots of these perfect subtrees are made of and returns the function that gives them. Each one is at most seven
 * levels above stored hashes, so at most 128 rows are read for it. The subtrees must lie within the trail.
 */
export async function loadSubtrees(db: Tx, nodes: readonly Node[]): Promise<SubtreeRoot> {
  const ranges = nodes.map(tilesBelow);
  const hashes = new Map<string, Buffer>();
  for (const [text, chosen] of [
    [LEAVES, ranges.filter(({ level }) => level === 0)],
    [TILES, ranges.filter(({ level }) => level > 0)],
  ] as const) {
    if (chosen.length === 0) continue;
    const rows = await db.query<{ level: number; index: bigint; hash: Buffer }>(text, [
      chosen.map(({ level }) => level),
      chosen.map(({ first }) => first),
      chosen.map(({ count }) => count),
    ]);
    for (const { level, index, hash } of rows) hashes.set(`${level}/${index}`, hash);
  }
  return (level, index) => rootAbove(tilesBelow({ level, index }), hashes);
}

function tilesBelow({ level, index }: Node): TileRange {
  const tile = Math.floor(level / TILE_LEVELS);
  const count = 2 ** (level % TILE_LEVELS);
  return { level: tile, first: index * count, count };
}

function rootAbove(
  { level, first, count }: TileRange,
  hashes: ReadonlyMap<string, Buffer>,
): Uint8Array {
  let row: Uint8Array[] = [];
  for (let index = first; index < first + count; index += 1) {
    const hash = hashes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`the trail lacks hash ${index} of tile level ${level}`);
    row.push(hash);
  }
  while (row.length > 1) row = pairs(row);
  return row[0] as Uint8Array; // count is a power of two, so one is left
}

function pairs(row: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i + 1 < row.length; i += 2) {
    above.push(nodeHash(row[i] as Uint8Array, row[i + 1] as Uint8Array, nodeSha256)); // both are inside the row
  }
  return above;
}

// The limits keep each range an index scan, however many rows a planner without statistics expects in it.
const RANGES = 'unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS range (level, first, count)';

const LEAVES = `
SELECT range.level::int, stored.index, stored.hash
FROM ${RANGES}
CROSS JOIN LATERAL (
  SELECT place AS index, leaf_hash AS hash FROM trail_chain
  WHERE place >= range.first AND place < range.first + range.count
  ORDER BY place LIMIT 256
) AS stored`;

const TILES = `
SELECT range.level::int, stored.index, stored.hash
FROM ${RANGES}
CROSS JOIN LATERAL (
  SELECT tile.index, tile.hash FROM trail_tiles AS tile
  WHERE tile.level = range.level AND tile.index >= range.first AND tile.index < range.first + range.count
  ORDER BY tile.index LIMIT 256
) AS stored`;
