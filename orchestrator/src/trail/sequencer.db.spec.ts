import { chainHash, CHAIN_START, leafHash, merkleRoot } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sequencer } from './sequencer.js';
import { StillClock } from './testing/still-clock.js';
import { trailDatabase, type TrailDatabase } from './testing/trail-database.js';
import { PgTrailWriter } from './pg-trail.writer.js';
import type { Tx } from '../platform/db/db.js';

let database: TrailDatabase;
const clock = new StillClock();
const writer = new PgTrailWriter(clock);

beforeEach(async () => {
  database = await trailDatabase();
});
afterEach(() => database.drop());

const write = (tx: Tx, subject: string, count = 1) =>
  writer.append(
    tx,
    Array.from({ length: count }, (_, i) => ({ kind: 'job.accepted', subject, body: { i } })),
  );

async function claimed(maxBatch?: number): Promise<Sequencer> {
  const sequencer = new Sequencer(database.sequencer, maxBatch);
  await sequencer.claim();
  return sequencer;
}

interface Placed {
  readonly place: bigint;
  readonly subject: string;
  readonly digest: Buffer;
  readonly leaf_hash: Buffer;
  readonly chain_hash: Buffer;
}

const placed = () =>
  database.app.query<Placed>(
    `SELECT place, subject, digest, leaf_hash, chain_hash FROM trail_chain
     JOIN trail_events ON (xid, id) = (event_xid, event_id) ORDER BY place`,
  );

const subjects = async () => (await placed()).map(({ subject }) => subject);

test('committed events get places without a gap, chained and in a tree', async () => {
  await write(database.app, 'a', 300);
  await write(database.app, 'b', 300);
  const sequencer = await claimed(256);
  expect([
    await sequencer.place(),
    await sequencer.place(),
    await sequencer.place(),
    await sequencer.place(),
  ]).toEqual([256, 256, 88, 0]);

  const rows = await placed();
  expect(rows.map(({ place }) => Number(place))).toEqual(Array.from({ length: 600 }, (_, i) => i));
  let chain = CHAIN_START;
  for (const row of rows) {
    const leaf = leafHash(row.digest, nodeSha256);
    chain = chainHash(chain, leaf, nodeSha256);
    expect(row.leaf_hash.equals(leaf)).toBe(true);
    expect(row.chain_hash.equals(chain)).toBe(true);
  }
  const tiles = await database.app.query<{ level: number; index: bigint; hash: Buffer }>(
    'SELECT * FROM trail_tiles ORDER BY level, index',
  );
  const leaves = rows.map(({ leaf_hash }) => leaf_hash);
  expect(tiles.map(({ level, index, hash }) => [level, index, hash.toString('hex')])).toEqual([
    [1, 0n, Buffer.from(merkleRoot(leaves.slice(0, 256), nodeSha256)).toString('hex')],
    [1, 1n, Buffer.from(merkleRoot(leaves.slice(256, 512), nodeSha256)).toString('hex')],
  ]);
});

test('what was rolled back never gets a place', async () => {
  await database.app
    .transaction(async (tx) => {
      await write(tx, 'undone');
      throw new Error('the change failed');
    })
    .catch(() => undefined);
  await write(database.app, 'kept');
  expect(await (await claimed()).place()).toBe(1);
  expect(await subjects()).toEqual(['kept']);
});

test('an event waits for an older transaction that still runs, and none is left out', async () => {
  const sequencer = await claimed();
  await database.app.transaction(async (slow) => {
    await write(slow, 'begun-first');
    await write(database.app, 'committed-first');
    expect(await sequencer.place()).toBe(0);
    expect(await sequencer.backlog()).toMatchObject({
      oldestAtMs: clock.atMs,
      settled: false,
      mine: true,
    });
  });
  expect(await sequencer.backlog()).toMatchObject({ settled: true });
  expect(await sequencer.place()).toBe(2);
  expect(await subjects()).toEqual(['begun-first', 'committed-first']);
  expect(await sequencer.backlog()).toEqual({ oldestAtMs: null, settled: false, mine: true });
});

test('a sequencer whose fence was taken places nothing until it takes it back', async () => {
  const older = await claimed();
  const newer = await claimed();
  await write(database.app, 'a');
  expect(await older.place()).toBeNull();
  expect((await older.backlog()).mine).toBe(false);
  expect(await newer.place()).toBe(1);
  await older.claim();
  await write(database.app, 'b');
  expect([await newer.place(), await older.place()]).toEqual([null, 1]);
  expect(await subjects()).toEqual(['a', 'b']);
});

test('many writers and two sequencers that take the fence from each other give every event one place', async () => {
  const sequencers = [await claimed(7), await claimed(7)];
  const writers = Array.from({ length: 8 }, (_, w) =>
    (async () => {
      for (let i = 0; i < 25; i += 1) {
        await database.app.transaction(async (tx) => {
          await write(tx, `w${w}-${i}`);
          if (i % 5 === 0) await tx.query('SELECT pg_sleep(0.005)');
        });
      }
    })(),
  );
  let writing = true;
  const sequencing = sequencers.map(async (sequencer) => {
    for (let idle = 0; writing || idle < 3;) {
      const count = await sequencer.place();
      if (count === null) await sequencer.claim();
      idle = count === 0 ? idle + 1 : 0;
    }
  });
  await Promise.all(writers);
  writing = false;
  await Promise.all(sequencing);
  const rows = await placed();
  expect(rows.map(({ place }) => Number(place))).toEqual(Array.from({ length: 200 }, (_, i) => i));
  expect(new Set(rows.map(({ subject }) => subject)).size).toBe(200);
});

test('after a restore into another cluster every event still gets exactly one place', async () => {
  const before = await claimed();
  await write(database.app, 'placed-before');
  await before.place();
  await write(database.app, 'not-placed-before');
  // As after a dump from a cluster that had counted far further: old xids are high, ours are low.
  await database.superuser.query(
    `UPDATE trail_events SET xid = ((xid::text)::bigint + 1000000)::text::xid8`,
  );
  await database.superuser.query(
    `UPDATE trail_chain SET event_xid = ((event_xid::text)::bigint + 1000000)::text::xid8`,
  );
  await database.superuser.query(
    `UPDATE trail_sequencer SET system_id = system_id + 1, last_xid = ((last_xid::text)::bigint + 1000000)::text::xid8`,
  );
  await write(database.app, 'written-after');

  const after = new Sequencer(database.sequencer);
  expect(await after.claim()).toBe(2);
  await write(database.app, 'later-still');
  expect(await after.place()).toBe(1);
  expect((await subjects()).sort()).toEqual([
    'later-still',
    'not-placed-before',
    'placed-before',
    'written-after',
  ]);

  // The new cluster has counted up to the old xids: they are passed over.
  await database.superuser.query(
    `UPDATE trail_events SET xid = '4' WHERE subject = 'placed-before'`,
  );
  await database.superuser.query(`UPDATE trail_sequencer SET last_xid = '3', last_id = 0`);
  expect(await after.backlog()).toMatchObject({ oldestAtMs: null });
  expect(await after.place()).toBe(0);
  await before.claim();
  expect(await before.place()).toBe(0);
});
