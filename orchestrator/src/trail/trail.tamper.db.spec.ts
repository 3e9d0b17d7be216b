import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointView, TrailFaultReason } from '@tidemill/protocol';
import { createKeyFile } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../platform/db/db.js';
import { Checkpoints } from './checkpoints.js';
import { Sequencer } from './sequencer.js';
import { audit, OpenTransaction } from './testing/read-trail.js';
import { StillClock } from './testing/still-clock.js';
import { trailDatabase, type TrailDatabase } from './testing/trail-database.js';
import { TrailReader } from './trail.reader.js';
import { PgTrailWriter } from './pg-trail.writer.js';

const EVENTS = 120;
const NETWORK = 'testnet';
const folder = mkdtempSync(join(tmpdir(), 'tidemill-trail-'));
const operator = createKeyFile(join(folder, 'operator.json'));
const clock = new StillClock();
const kept: CheckpointView[] = [];
let database: TrailDatabase;
let sequencer: Sequencer;
let checkpoints: Checkpoints;

beforeAll(async () => {
  database = await trailDatabase();
  sequencer = new Sequencer(database.sequencer);
  await sequencer.claim();
  checkpoints = new Checkpoints(database.sequencer, operator, NETWORK, clock);
  for (let written = 0; written < EVENTS; written += 40) {
    const events = Array.from({ length: 40 }, (_, i) => ({
      kind: 'job.accepted',
      subject: `job_${written + i}`,
      body: { i },
    }));
    await new PgTrailWriter(clock).append(database.app, events);
    await sequencer.place();
    clock.atMs += 60_000;
    expect(await checkpoints.sign()).toBe(written + 40);
    const checkpoint = await new TrailReader(database.app).checkpoint();
    if (checkpoint !== null) kept.push(checkpoint);
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

const trust = () => ({ network: NETWORK, publicKey: operator.publicKey, kept });

test('the trail as it was written has no fault', async () => {
  expect(await audit(database.app, trust())).toMatchObject({
    size: EVENTS,
    vouched: EVENTS,
    fault: null,
  });
});

const EVENT_AT = `(xid, id) = (SELECT event_xid, event_id FROM trail_chain WHERE place = $1)`;

/** Moves all places from p on by one in two steps, so that no two rows ever have the same. */
async function shift(tx: Tx, p: number, by: 1 | -1): Promise<void> {
  await tx.query('UPDATE trail_chain SET place = -1 - place WHERE place >= $1', [p]);
  await tx.query('UPDATE trail_chain SET place = -1 - place + $1::int WHERE place < 0', [by]);
}

type Tamper = (tx: Tx, p: number) => Promise<unknown>;

/** What somebody with every privilege may do in SQL, and how an auditor sees it at place p. */
const TAMPERINGS: readonly (readonly [string, TrailFaultReason, Tamper])[] = [
  [
    'edits a body',
    'digest',
    (tx, p) => tx.query(`UPDATE trail_events SET body = body || ' ' WHERE ${EVENT_AT}`, [p]),
  ],
  [
    'backdates an event',
    'digest',
    (tx, p) => tx.query(`UPDATE trail_events SET at_ms = at_ms - 1 WHERE ${EVENT_AT}`, [p]),
  ],
  [
    'puts another subject in',
    'digest',
    (tx, p) => tx.query(`UPDATE trail_events SET subject = 'job_other' WHERE ${EVENT_AT}`, [p]),
  ],
  [
    'edits a digest',
    'digest',
    (tx, p) => tx.query(`UPDATE trail_events SET digest = sha256('x') WHERE ${EVENT_AT}`, [p]),
  ],
  [
    'edits an event and digests it again',
    'chain',
    (tx, p) =>
      tx.query(
        `UPDATE trail_events SET body = '{}', digest = sha256(convert_to(
           'tidemill/trail-event/1' || E'\\n' || kind || E'\\n' || subject || E'\\n' || at_ms || E'\\n' || '{}', 'UTF8'))
         WHERE ${EVENT_AT}`,
        [p],
      ),
  ],
  [
    'edits a chain hash',
    'chain',
    (tx, p) => tx.query(`UPDATE trail_chain SET chain_hash = sha256('x') WHERE place = $1`, [p]),
  ],
  [
    'deletes an event',
    'gap',
    (tx, p) => tx.query(`DELETE FROM trail_events WHERE ${EVENT_AT}`, [p]),
  ],
  ['deletes a place', 'gap', (tx, p) => tx.query('DELETE FROM trail_chain WHERE place = $1', [p])],
  [
    'deletes an event and closes the gap',
    'chain',
    async (tx, p) => {
      await tx.query('DELETE FROM trail_chain WHERE place = $1', [p]);
      await shift(tx, p + 1, -1);
    },
  ],
  [
    'inserts an event',
    'chain',
    async (tx, p) => {
      const [event] = await tx.query<{ xid: string; id: bigint }>(
        `INSERT INTO trail_events (at_ms, kind, subject, body, digest)
         SELECT 5, 'job.accepted', 'job_new', '{}',
           sha256(convert_to('tidemill/trail-event/1' || E'\\njob.accepted\\njob_new\\n5\\n{}', 'UTF8'))
         RETURNING xid::text, id`,
      );
      await shift(tx, p, 1);
      await tx.query(
        `INSERT INTO trail_chain (place, event_xid, event_id, leaf_hash, chain_hash)
         VALUES ($1, $2::xid8, $3, sha256('x'), sha256('y'))`,
        [p, event?.xid, event?.id],
      );
    },
  ],
  [
    'swaps two events',
    'chain',
    async (tx, p) => {
      await tx.query('UPDATE trail_chain SET place = -1 WHERE place = $1', [p]);
      await tx.query('UPDATE trail_chain SET place = $1 WHERE place = $1::int + 1', [p]);
      await tx.query('UPDATE trail_chain SET place = $1::int + 1 WHERE place = -1', [p]);
    },
  ],
  [
    'cuts the trail off',
    'truncated',
    (tx, p) => tx.query('DELETE FROM trail_chain WHERE place >= $1', [p]),
  ],
  [
    'rewinds it and the checkpoints',
    'truncated',
    async (tx, p) => {
      await tx.query('DELETE FROM trail_chain WHERE place >= $1', [p]);
      await tx.query('DELETE FROM trail_checkpoints WHERE size > $1', [p]);
    },
  ],
];

const PLACES = [0, 1, 17, 39, 40, 41, 63, 79, 80, 100, EVENTS - 2];

test.each(TAMPERINGS)('whoever %s is found at the place', async (_, reason, tamper) => {
  for (const p of PLACES) {
    const undone = new Error('rolled back');
    const seen = database.superuser.transaction(async (tx) => {
      await tamper(tx, p);
      const { fault } = await audit(new OpenTransaction(tx), trust());
      expect(fault).toMatchObject({ place: p, reason });
      throw undone;
    });
    await expect(seen).rejects.toBe(undone);
  }
});

test('a history that was written anew and signed with the operator’s own key contradicts the checkpoint kept', async () => {
  const other = await trailDatabase();
  try {
    const anew = new Sequencer(other.sequencer);
    await anew.claim();
    const events = Array.from({ length: EVENTS }, (_, i) => ({
      kind: 'job.accepted',
      subject: `job_${i}`,
      body: { i: i === 50 ? -1 : i },
    }));
    await new PgTrailWriter(new StillClock()).append(other.app, events);
    await anew.place();
    await new Checkpoints(other.sequencer, operator, NETWORK, clock).sign();
    expect((await audit(other.app, { ...trust(), kept: [] })).fault).toBeNull(); // by itself it looks honest
    expect((await audit(other.app, trust())).fault).toMatchObject({
      reason: 'root',
      place: 79,
      since: 40,
    });
  } finally {
    await other.drop();
  }
});

test('a checkpoint signed by somebody else is not the operator’s', async () => {
  const stranger = createKeyFile(join(folder, 'stranger.json'));
  const undone = new Error('rolled back');
  const seen = database.superuser.transaction(async (tx) => {
    await tx.query('DELETE FROM trail_checkpoints');
    await new Checkpoints(new OpenTransaction(tx), stranger, NETWORK, clock).sign();
    const { fault } = await audit(new OpenTransaction(tx), { ...trust(), kept: [] });
    expect(fault).toMatchObject({ reason: 'key', place: EVENTS - 1, since: 0 });
    throw undone;
  });
  await expect(seen).rejects.toBe(undone);
});

const REFUSED = /permission denied/;

test.each([
  `UPDATE trail_events SET body = '{}'`,
  'DELETE FROM trail_events',
  'TRUNCATE trail_events',
  `INSERT INTO trail_events (xid, at_ms, kind, subject, body, digest) VALUES ('1', 0, 'k', 's', '{}', sha256('x'))`,
  `INSERT INTO trail_chain VALUES (1000, '1', 1000, 'a', 'b')`,
  'UPDATE trail_chain SET place = place + 1',
  'DELETE FROM trail_chain',
  'UPDATE trail_sequencer SET size = 0',
  'DELETE FROM trail_checkpoints',
  'TRUNCATE trail_tiles',
])('the role of the orchestrator is refused: %s', async (statement) => {
  await expect(database.app.query(statement)).rejects.toThrow(REFUSED);
});

test('the role of the orchestrator cannot choose the id of an event', async () => {
  const statement = `INSERT INTO trail_events (id, at_ms, kind, subject, body, digest) OVERRIDING SYSTEM VALUE VALUES (1, 0, 'k', 's', '{}', sha256('x'))`;
  await expect(database.app.query(statement)).rejects.toThrow(REFUSED);
});

test.each([
  'UPDATE trail_chain SET chain_hash = leaf_hash',
  'DELETE FROM trail_chain',
  'TRUNCATE trail_chain',
  `INSERT INTO trail_events (at_ms, kind, subject, body, digest) VALUES (0, 'k', 's', '{}', sha256('x'))`,
  `UPDATE trail_events SET body = '{}'`,
  'UPDATE trail_tiles SET index = index + 1',
  'UPDATE trail_checkpoints SET size = size + 1',
  'DELETE FROM trail_checkpoints',
  'DELETE FROM trail_sequencer',
])('the role of the sequencer is refused: %s', async (statement) => {
  await expect(database.sequencer.query(statement)).rejects.toThrow(REFUSED);
});

test('neither a place nor an event is given a second time', async () => {
  const again = (place: string, event: string) =>
    database.sequencer.query(
      `INSERT INTO trail_chain (place, event_xid, event_id, leaf_hash, chain_hash)
       SELECT ${place}, event_xid, ${event}, leaf_hash, chain_hash FROM trail_chain WHERE place = 7`,
    );
  await expect(again('7', '-1')).rejects.toThrow('trail_chain_pkey');
  await expect(again('1000', 'event_id')).rejects.toThrow('trail_chain_event_id_key');
});
