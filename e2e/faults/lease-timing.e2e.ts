import { setTimeout as sleep } from 'node:timers/promises';
import { TIMING, type Offer } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks } from '../harness/books.js';
import { eventually } from '../harness/eventually.js';
import { type Orchestrator, startOrchestrator } from '../harness/orchestrator.js';
import { type RealWorker, realWorker } from '../harness/real-worker.js';
import { leaseOf, profileOf, ScriptedWorker } from '../harness/scripted-worker.js';
import { seeded } from '../harness/seeded.js';
import { noopJob, type Submitter, submitter } from '../harness/submitter.js';

const LONG = process.env['TIDEMILL_TEST_LONG'] === '1';
/** Processes that are killed and stopped, beside the sockets that are cut and go silent: a process costs a second of a core. */
const REAL = { killed: 2, stopped: 1, spare: 3 };
const CLOSED = (LONG ? 200 : 30) - REAL.killed;
const SILENT = (LONG ? 100 : 10) - REAL.stopped;
const CLEAN = 10;
const CLEAN_FOR_MS = LONG ? 600_000 : 0;
/** Kills are spread over this, so that each falls elsewhere between two sweeps and two heartbeats. */
const SPREAD_MS = LONG ? 120_000 : 12_000;

/** What G5 promises, from the moment of the loss to the offer at another worker. */
const CLOSED_WITHIN_MS = 5_000;
const SILENT_WITHIN_MS = 18_000;

/** Only real workers have room for this. */
const LARGE = { resources: { memory: '1GB..' as const } };
const SMALL = { resources: { ...profileOf('').resources, memoryMib: 256 } };

const random = seeded(5);
let orchestrator: Orchestrator;
let alice: Submitter;
const processes: RealWorker[] = [];

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator, 100_000);
  for (let i = 0; i < REAL.killed + REAL.stopped + REAL.spare; i += 1)
    processes.push(await realWorker(orchestrator, `real-${i}`, { slots: '1' }));
});

afterAll(async () => {
  for (const { process } of processes) process.signal('SIGCONT');
  await Promise.all(processes.map(({ process }) => process.stop()));
  expect(await orchestrator?.stop()).toEqual([]);
});

/** A pool of two of whom one works. */
async function pair(pool: string) {
  const first = await ScriptedWorker.join(orchestrator, pool, { profile: SMALL });
  await alice.submit(noopJob(pool, { limits: { maxCost: '0.1' } }));
  const offer = await first.begin();
  const second = await ScriptedWorker.join(orchestrator, pool, { profile: SMALL });
  return { first, second, offer };
}

/** Milliseconds from a loss to the offer at the other one, which does the task then. */
async function moved(
  { second, offer }: { second: ScriptedWorker; offer: Offer },
  lose: () => void,
): Promise<number> {
  await sleep(random() * SPREAD_MS);
  lose();
  const sinceMs = performance.now();
  const taken = await second.offer(60_000);
  const afterMs = performance.now() - sinceMs;
  expect(taken).toMatchObject({ taskId: offer.taskId, fence: offer.fence + 1 });
  await second.accept(taken);
  await second.report(taken);
  second.drop();
  return afterMs;
}

/** The same for a process: when the rows say that another worker has the task. */
async function movedFrom(worker: RealWorker, signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  const { rows } = await orchestrator.rows.query<{ task_id: string }>(
    'SELECT task_id FROM attempts WHERE live AND worker_id = $1',
    [worker.id],
  );
  await sleep(random() * SPREAD_MS);
  worker.process.signal(signal);
  const sinceMs = performance.now();
  await eventually(
    'another worker has its task',
    async () => {
      const found = await orchestrator.rows.query(
        'SELECT 1 FROM attempts WHERE live AND task_id = $1 AND worker_id <> $2',
        [rows[0]?.task_id, worker.id],
      );
      return found.rows.length > 0;
    },
    60_000,
  );
  return performance.now() - sinceMs;
}

/** Attempts that ended although nothing was done to their workers. */
async function spurious(pool: string): Promise<unknown[]> {
  const { rows } = await orchestrator.rows.query(
    `SELECT attempt.id, attempt.state, attempt.reason FROM attempts AS attempt JOIN workers AS worker ON worker.id = attempt.worker_id
     WHERE worker.name LIKE $1 AND attempt.state NOT IN ('running', 'reported', 'accepted')`,
    [`${pool}%`],
  );
  return rows;
}

const worst = (times: readonly number[]): number => Math.round(Math.max(...times));

test(`${CLOSED + REAL.killed} killed and ${SILENT + REAL.stopped} silent workers are replaced in time, and no other is (G3, G5)`, async ({
  annotate,
}) => {
  const clean: { worker: ScriptedWorker; offer: Offer }[] = [];
  for (let i = 0; i < CLEAN; i += 1) {
    const worker = await ScriptedWorker.join(orchestrator, `clean-${i}`, { profile: SMALL });
    await alice.submit(noopJob(`clean-${i}`, { limits: { maxCost: '0.1' } }));
    clean.push({ worker, offer: await worker.begin() });
  }
  const sinceMs = performance.now();
  const closed = [];
  for (let i = 0; i < CLOSED; i += 1) closed.push(await pair(`closed-${i}`));
  const silent = [];
  for (let i = 0; i < SILENT; i += 1) silent.push(await pair(`silent-${i}`));
  const long = noopJob(null, {
    ...LARGE,
    runtime: { noop: { sleepMs: 600_000 } },
    limits: { maxDuration: '20m', maxCost: '1' },
  });
  const large: string[] = [];
  for (let i = 0; i < REAL.killed + REAL.stopped; i += 1) large.push((await alice.submit(long)).id);
  for (const id of large) await alice.when(id, 'it runs', ({ state }) => state === 'running');
  const { rows } = await orchestrator.rows.query<{ worker_id: string }>(
    'SELECT worker_id FROM attempts WHERE live AND job_id = ANY ($1)',
    [large],
  );
  const busy = processes.filter(({ id }) => rows.some(({ worker_id }) => worker_id === id));
  expect(busy).toHaveLength(large.length);

  const [whenClosed, whenSilent] = await Promise.all([
    Promise.all([
      ...closed.map((one) => moved(one, () => one.first.drop())),
      ...busy.slice(0, REAL.killed).map((worker) => movedFrom(worker, 'SIGKILL')),
    ]),
    Promise.all([
      ...silent.map((one) => moved(one, () => one.first.fallSilent())),
      ...busy.slice(REAL.killed).map((worker) => movedFrom(worker, 'SIGSTOP')),
    ]),
  ]);
  await annotate(
    `${whenClosed.length} killed (30 asked), the worst moved after ${worst(whenClosed)} ms (5,000 allowed)`,
    'T4',
  );
  await annotate(
    `${whenSilent.length} silent (10 asked), the worst moved after ${worst(whenSilent)} ms (18,000 allowed)`,
    'T4',
  );
  // Not before the time that each has to come back, either.
  expect(Math.min(...whenClosed)).toBeGreaterThan(TIMING.reconnectMs - 250);
  expect(Math.min(...whenSilent)).toBeGreaterThan(TIMING.leaseMs - TIMING.heartbeatMs - 1_000);
  expect(whenClosed.filter((ms) => ms > CLOSED_WITHIN_MS)).toEqual([]);
  expect(whenSilent.filter((ms) => ms > SILENT_WITHIN_MS)).toEqual([]);

  await sleep(Math.max(0, CLEAN_FOR_MS - (performance.now() - sinceMs)));
  expect(await spurious('clean-')).toEqual([]);
  for (const id of large) await alice.cancel(id);

  // And a restart within 8 s loses none of what runs.
  const awaySinceMs = performance.now();
  orchestrator.process.signal('SIGKILL');
  await orchestrator.start();
  const back = await Promise.all(
    clean.map(({ worker, offer }, i) =>
      ScriptedWorker.join(orchestrator, `clean-${i}`, {
        profile: SMALL,
        signer: worker.signer,
        holding: [leaseOf(offer)],
      }),
    ),
  );
  expect(performance.now() - awaySinceMs).toBeLessThan(TIMING.selfStopMs);
  expect(back.map(({ welcome }) => welcome.kept)).toEqual(
    clean.map((one) => [one.offer.attemptId]),
  );
  for (const [i, { offer }] of clean.entries())
    expect(await back[i]?.report(offer)).toMatchObject({ status: 'stored' });
  expect(await spurious('clean-')).toEqual([]);
  for (const worker of back) worker.drop();
  for (const one of silent) one.first.drop();
  await alice.settled();
  await eventually('all is closed', async () => {
    const open = await orchestrator.rows.query('SELECT 1 FROM attempts WHERE live');
    return open.rows.length === 0;
  });
  await expectClosedBooks(orchestrator);
});
