import { expect, test } from 'vitest';
import type { Db } from '../platform/db/db.js';
import type { LoopOptions, Loops } from '../platform/loop.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import type { JobsStore } from './jobs.store.js';
import { QueueLimits } from './queue-limits.js';

const HALF = 100_000;

/** Limits over a queue of so many tasks an account; `recount` reads it again. */
function limitsOf(waiting: Record<string, number>) {
  const rows = new Map(Object.entries(waiting));
  const store = { waiting: () => Promise.resolve(rows) } as unknown as JobsStore; // all that is asked of it
  let recount: LoopOptions['turn'] = () => Promise.resolve();
  const loops = { add: ({ turn }: LoopOptions) => (recount = turn) } as unknown as Loops; // a loop turned by hand
  const telemetry = new Telemetry();
  const limits = new QueueLimits({} as Db, store, loops, telemetry);
  return { limits, rows, telemetry, recount: () => recount() };
}

test('a submitter may fill half of the queue and no more', async () => {
  const { limits, recount } = limitsOf({ alice: HALF - 2 });
  await recount();
  limits.admit('alice', 2);
  expect(() => limits.admit('alice', 1)).toThrow(
    expect.objectContaining({ code: 'TENANT_LIMIT', more: { retryAfterS: 10 } }),
  );
  limits.admit('bob', HALF);
});

test('a full queue takes nothing from anybody', async () => {
  const { limits, recount } = limitsOf({ alice: HALF, bob: HALF - 1 });
  await recount();
  limits.admit('carol', 1);
  for (const who of ['alice', 'bob', 'carol', 'dave'])
    expect(() => limits.admit(who, 1)).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
});

test('what was admitted counts at once, and a refusal does not', async () => {
  const { limits, recount } = limitsOf({});
  await recount();
  limits.admit('alice', HALF - 1);
  expect(() => limits.admit('alice', 2)).toThrow(expect.objectContaining({ code: 'TENANT_LIMIT' }));
  limits.admit('alice', 1);
  expect(() => limits.admit('alice', 1)).toThrow(expect.objectContaining({ code: 'TENANT_LIMIT' }));
});

test('a batch is admitted as a whole or not at all', async () => {
  const { limits, recount } = limitsOf({ alice: HALF - 99 });
  await recount();
  expect(() => limits.admit('alice', 100)).toThrow(
    expect.objectContaining({ code: 'TENANT_LIMIT' }),
  );
  limits.admit('alice', 99);
});

test('a recount makes room for what has been placed meanwhile', async () => {
  const { limits, rows, recount, telemetry } = limitsOf({ alice: HALF });
  await recount();
  expect(() => limits.admit('alice', 1)).toThrow();
  rows.set('alice', 7);
  rows.set('bob', 3);
  await recount();
  limits.admit('alice', 1);
  expect(await telemetry.registry.metrics()).toContain('tidemill_tasks_queued 10');
});
