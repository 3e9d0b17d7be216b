import {
  ATTEMPT_TRANSITIONS,
  JOB_TRANSITIONS,
  mayFollow,
  TASK_TRANSITIONS,
} from '@tidemill/core/job';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trailDatabase, type TrailDatabase } from '../trail/testing/trail-database.js';

let database: TrailDatabase;
beforeAll(async () => {
  database = await trailDatabase();
});
afterAll(() => database.drop());

type Table = Readonly<Record<string, readonly string[]>>;

/** How a row of each kind is made in a state, with the least that its columns ask for. */
const KINDS: readonly (readonly [string, Table, string, string])[] = [
  [
    'jobs',
    JOB_TRANSITIONS,
    'job_transition',
    `INSERT INTO jobs (id, state, account_id, kind, spec, needs, verify, priority, max_attempts, max_duration_ms, hold, task_cap,
       tasks_total, tasks_left)
     VALUES ($1, $2, 'acc', 'batch', '{}', '{}', '{}', 1, 1, 1, 0, 0, 1, 1)`,
  ],
  [
    'tasks',
    TASK_TRANSITIONS,
    'task_transition',
    `INSERT INTO tasks (id, state, waiting, job_id, idx, root_id, priority, payload, payload_digest)
     VALUES ($1, $2, false, 'job', 0, $1, 1, '{}', 'sha256:')`,
  ],
  [
    'attempts',
    ATTEMPT_TRANSITIONS,
    'attempt_transition',
    `INSERT INTO attempts (id, state, task_id, job_id, worker_id, number, fence, gpu_milli, vram_mib, cpu_milli, memory_mib,
       disk_mib, gpu_ask, cpu_ask)
     VALUES ($1, $2, $1, 'job', 'wrk', 1, 1, 0, 0, 0, 0, 0, 0, 0)`,
  ],
];

describe.each(KINDS)('the states of %s in the database', (table, transitions, trigger, insert) => {
  const states = Object.keys(transitions);
  const pairs = states.flatMap((from) => states.map((to) => [from, to] as const));
  const stateOf = async (id: string) =>
    (
      await database.app.query<{ state: string }>(`SELECT state FROM ${table} WHERE id = $1`, [id])
    )[0]?.state;

  /** Tries one change; says whether it was made, and checks that the row is as that says. */
  async function tryChange(from: string, to: string): Promise<boolean> {
    const id = `${from} to ${to}`;
    await database.app.query(insert, [id, from]);
    const change = database.app.query(`UPDATE ${table} SET state = $2 WHERE id = $1`, [id, to]);
    const wasMade = await change.then(
      () => true,
      (cause: unknown) => {
        expect(cause).toMatchObject({ code: '23514', constraint: trigger });
        return false;
      },
    );
    expect(await stateOf(id)).toBe(wasMade ? to : from);
    return wasMade;
  }

  test('change exactly as the rules of core say', async () => {
    const made: string[] = [];
    for (const [from, to] of pairs) if (await tryChange(from, to)) made.push(`${from} → ${to}`);
    // Writing a state that is there already changes nothing, so it is let through.
    const allowed = pairs.filter(([from, to]) => from === to || mayFollow(transitions, from, to));
    expect(made).toEqual(allowed.map(([from, to]) => `${from} → ${to}`));
  });

  test('are refused one by one when a statement changes many', async () => {
    const legal = pairs.find(([from, to]) => mayFollow(transitions, from, to));
    const illegal = states.find(
      (from) => from !== legal?.[1] && !mayFollow(transitions, from, legal?.[1] ?? ''),
    );
    const ids = ['one of two', 'two of two'];
    await database.app.query(insert, [ids[0], legal?.[0]]);
    await database.app.query(insert, [ids[1], illegal]);
    const both = database.app.query(`UPDATE ${table} SET state = $2 WHERE id = ANY ($1)`, [
      ids,
      legal?.[1],
    ]);
    await expect(both).rejects.toMatchObject({ code: '23514', constraint: trigger });
    expect([await stateOf(ids[0] ?? ''), await stateOf(ids[1] ?? '')]).toEqual([
      legal?.[0],
      illegal,
    ]);
  });

  test('are refused to whoever owns the tables, too', async () => {
    const [from, to] = pairs.find(([a, b]) => a !== b && !mayFollow(transitions, a, b)) ?? ['', ''];
    await database.superuser.query(insert, ['by the owner', from]);
    const change = database.superuser.query(
      `UPDATE ${table} SET state = $1 WHERE id = 'by the owner'`,
      [to],
    );
    await expect(change).rejects.toMatchObject({ constraint: trigger });
  });
});

test('a task waits only while it is queued', async () => {
  const change = (state: string) =>
    database.app.query(
      `INSERT INTO tasks (id, state, waiting, job_id, idx, root_id, priority, payload, payload_digest)
       VALUES ($1, $1, true, 'job', 0, $1, 1, '{}', 'sha256:')`,
      [state],
    );
  await change('queued');
  for (const state of Object.keys(TASK_TRANSITIONS)) {
    if (state !== 'queued') await expect(change(state)).rejects.toMatchObject({ code: '23514' });
  }
});
