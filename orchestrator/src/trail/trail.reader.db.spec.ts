import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hexToBytes,
  leafHash,
  merkleRoot,
  verifyConsistency,
  verifyInclusion,
} from '@tidemill/protocol';
import { createKeyFile, nodeSha256 } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkpoints } from './checkpoints.js';
import { Sequencer } from './sequencer.js';
import { StillClock } from './testing/still-clock.js';
import { trailDatabase, type TrailDatabase } from './testing/trail-database.js';
import { TrailReader } from './trail.reader.js';
import { PgTrailWriter } from './pg-trail.writer.js';

/** More than 256 × 256, so that proofs go through two levels of tiles, and not a round number. */
const EVENTS = 70_001;
const folder = mkdtempSync(join(tmpdir(), 'tidemill-trail-'));
const signer = createKeyFile(join(folder, 'operator.json'));
const clock = new StillClock();
let database: TrailDatabase;
let reader: TrailReader;
let leaves: Buffer[];

beforeAll(async () => {
  database = await trailDatabase();
  reader = new TrailReader(database.app);
  const writer = new PgTrailWriter(clock);
  for (let i = 0; i < EVENTS; i += 10_000) {
    const count = Math.min(10_000, EVENTS - i);
    await writer.append(
      database.app,
      Array.from({ length: count }, (_, n) => ({ kind: 'k', subject: `s${i + n}`, body: '{}' })),
    );
  }
  const sequencer = new Sequencer(database.sequencer);
  await sequencer.claim();
  while (((await sequencer.place()) ?? 0) > 0);
  const rows = await database.app.query<{ leaf_hash: Buffer }>(
    'SELECT leaf_hash FROM trail_chain ORDER BY place',
  );
  leaves = rows.map(({ leaf_hash }) => leaf_hash);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const rootAt = (size: number) => hex(merkleRoot(leaves.slice(0, size), nodeSha256));

test('a search finds events of a subject or below a place, and goes on where it ended', async () => {
  const about = { from: 0, limit: 5, subject: 's25000' };
  const found: (number | null)[] = [];
  const stops: (number | null)[] = [];
  let from: number | null = 0;
  while (from !== null) {
    const page = await reader.search({ ...about, from, to: 30_000 });
    found.push(...page.items.map(({ place }) => place));
    stops.push(page.next);
    from = page.next;
  }
  expect(found).toEqual([25_000]);
  expect(stops).toEqual([10_000, 20_000, null]);
  const { items, next } = await reader.search({ from: 7, limit: 2, kind: 'k' });
  expect([items.map(({ place }) => place), next]).toEqual([[7, 8], 9]);
  expect(await reader.search({ from: 69_990, limit: 5, kind: 'other' })).toEqual({
    items: [],
    next: null,
  });
});

test('events are listed in order of place from any place on', async () => {
  const page = await reader.list(69_999, 10);
  expect(page.map(({ place, subject }) => [place, subject])).toEqual([
    [69_999, 's69999'],
    [70_000, 's70000'],
  ]);
  const event = await reader.event(300);
  expect(event).toMatchObject({
    place: 300,
    subject: 's300',
    body: '{}',
    at: '2023-11-14T22:13:20.000Z',
  });
  expect(hex(leafHash(hexToBytes(event?.digest ?? ''), nodeSha256))).toBe(
    hex(leaves[300] ?? Buffer.alloc(0)),
  );
  expect(await reader.event(EVENTS)).toBeNull();
});

test.each([
  [0, 1],
  [0, EVENTS],
  [EVENTS - 1, EVENTS],
  [65_535, 65_536],
  [65_536, 65_537],
  [12_345, 70_000],
  [255, 257],
  [40_000, 66_048],
])('the event at %i is proved to be in the tree of %i', async (place, size) => {
  const proof = await reader.inclusion(place, size);
  expect(proof).toMatchObject({
    place,
    size,
    leaf: hex(leaves[place] ?? Buffer.alloc(0)),
    root: rootAt(size),
  });
  const { leaf, path, root } = proof ?? { leaf: '', path: [], root: '' };
  const claim = {
    leaf: hexToBytes(leaf),
    index: place,
    size,
    root: hexToBytes(root),
    path: path.map(hexToBytes),
  };
  expect(verifyInclusion(claim, nodeSha256)).toBe(true);
});

test.each([
  [0, EVENTS],
  [1, EVENTS],
  [256, 65_536],
  [65_536, EVENTS],
  [65_535, 70_000],
  [12_345, 54_321],
  [EVENTS, EVENTS],
])('the tree of %i is proved to go on in the tree of %i', async (from, to) => {
  const proof = await reader.consistency(from, to);
  expect(proof).toMatchObject({ from, to, fromRoot: rootAt(from), toRoot: rootAt(to) });
  const { path, fromRoot, toRoot } = proof ?? { path: [], fromRoot: '', toRoot: '' };
  const claim = {
    from,
    to,
    fromRoot: hexToBytes(fromRoot),
    toRoot: hexToBytes(toRoot),
    path: path.map(hexToBytes),
  };
  expect(verifyConsistency(claim, nodeSha256)).toBe(true);
});

test('there is no proof beyond the end of the trail, nor one that makes no sense', async () => {
  expect(await reader.inclusion(0, EVENTS + 1)).toBeNull();
  expect(await reader.inclusion(5, 5)).toBeNull();
  expect(await reader.consistency(1, EVENTS + 1)).toBeNull();
  expect(await reader.consistency(2, 1)).toBeNull();
});

test('a proof over the whole trail reads hundreds of rows, not the trail', async () => {
  let rows = 0;
  const counting = new TrailReader({
    query: async <R extends object>(text: string, values?: readonly unknown[]) => {
      const read = await database.app.query<R>(text, values);
      rows += read.length;
      return read;
    },
    transaction: (work) => database.app.transaction(work),
  });
  await counting.inclusion(12_345, EVENTS);
  await counting.consistency(65_535, EVENTS);
  expect(rows).toBeLessThan(2_000);
});

test('a checkpoint is signed once for each size and stays readable', async () => {
  const checkpoints = new Checkpoints(database.sequencer, signer, 'testnet', clock);
  expect(await reader.checkpoint()).toBeNull();
  expect([await checkpoints.sign(), await checkpoints.sign()]).toEqual([EVENTS, null]);
  const first = await reader.checkpoint();
  expect(first).toMatchObject({
    size: EVENTS,
    root: rootAt(EVENTS),
    network: 'testnet',
    publicKey: signer.address,
  });
  expect(await reader.checkpoint(EVENTS)).toEqual(first);
  expect(await reader.checkpoint(1)).toBeNull();
});
