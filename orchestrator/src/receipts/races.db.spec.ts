import type { AttemptId, JobId, TaskId, WorkerId } from '@tidemill/protocol';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PgJobsStore } from '../jobs/pg-jobs.store.js';
import type { Tx } from '../platform/db/db.js';
import { PgLeasesStore } from '../scheduling/pg-leases.store.js';
import { trailDatabase, type TrailDatabase } from '../trail/testing/trail-database.js';
import type { SoundReceipt } from './check-receipts.js';
import { PgReceiptsStore } from './pg-receipts.store.js';

const SCHEDULES = process.env['TIDEMILL_TEST_LONG'] === '1' ? 100_000 : 2_000;
/** Schedules that run at the same time, each on a task of its own, so that connections meet in the database. */
const TOGETHER = 20;
const WORKERS = 3;

const jobs = new PgJobsStore();
const leases = new PgLeasesStore();
const receipts = new PgReceiptsStore();
let database: TrailDatabase;
let workers: WorkerId[] = [];

beforeAll(async () => {
  database = await trailDatabase();
  workers = await Promise.all(Array.from({ length: WORKERS }, aWorker));
});
afterAll(() => database.drop());

let made = 0;
const name = (kind: string): string => `${kind}_${String((made += 1)).padStart(8, '0')}`;

async function aWorker(): Promise<WorkerId> {
  const id = name('wrk') as WorkerId;
  await database.app.query(
    `INSERT INTO workers (id, public_key, name, payout, state, capabilities, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, slots, gpu_ask, cpu_ask)
     VALUES ($1, $1, 'a worker', $1, 'online', '{}', 0, 0, 1000, 1000, 1000, 4, 7, 11)`,
    [id],
  );
  return id;
}

/** What somebody does to a task: `of` says with which of its attempts, the newest first. */
type Action =
  | { readonly does: 'lease'; readonly worker: number }
  | { readonly does: 'activate' | 'report' | 'lose' | 'refuse'; readonly of: number }
  | { readonly does: 'cancel' };

interface Attempt {
  readonly attemptId: AttemptId;
  readonly workerId: WorkerId;
  readonly fence: number;
}

type Take = (tx: Tx, receipt: SoundReceipt) => Promise<number>;
const take: Take = async (tx, receipt) => (await receipts.take(tx, [receipt])).length;

/** One task and all that is tried with it. Nobody waits for anybody: what was read may be old when it is used. */
class Contested {
  readonly jobId = name('job') as JobId;
  readonly taskId = name('tsk') as TaskId;
  private readonly attempts: Attempt[] = [];
  taken = 0;

  constructor(private readonly take: Take) {}

  async run(rounds: readonly (readonly Action[])[]): Promise<void> {
    await database.app.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO jobs (id, account_id, kind, spec, needs, verify, priority, max_attempts, max_duration_ms, hold, task_cap, tasks_total, tasks_left)
         VALUES ($1, 'acc', 'batch', '{}', '{}', '{"method":"none"}', 1, 99, 60000, 0, 0, 1, 1)`,
        [this.jobId],
      );
      await tx.query(
        `INSERT INTO tasks (id, job_id, idx, role, root_id, priority, payload, payload_digest) VALUES ($1, $2, 0, 'primary', $1, 1, '{}', 'sha256:')`,
        [this.taskId, this.jobId],
      );
    });
    for (const round of rounds) await Promise.all(round.map((action) => this.act(action)));
  }

  private async act(action: Action): Promise<void> {
    if (action.does === 'lease') return this.lease(workers[action.worker % WORKERS]);
    if (action.does === 'cancel') return this.cancel();
    const attempt = this.attempts.at(-1 - (action.of % Math.max(1, this.attempts.length)));
    if (attempt === undefined) return;
    if (action.does === 'report') {
      this.taken += await database.app.transaction((tx) => this.take(tx, this.receipt(attempt)));
    } else if (action.does === 'activate') {
      await leases.activate(database.app, [{ ...attempt, agoMs: 0 }]);
    } else {
      await this.end(attempt, action.does === 'lose' ? 'lost' : 'refused');
    }
  }

  private async lease(workerId: WorkerId | undefined): Promise<void> {
    const [task] = await database.app.query<{ fence: number }>(
      'SELECT fence FROM tasks WHERE id = $1',
      [this.taskId],
    );
    if (task === undefined || workerId === undefined) return;
    const attemptId = name('att') as AttemptId;
    const resources = { gpuMilli: 0, vramMib: 0, cpuMilli: 1, memoryMib: 1, diskMib: 0 };
    const plan = { attemptId, taskId: this.taskId, fence: task.fence, workerId, revision: 1 };
    const stands = await database.app.transaction((tx) =>
      leases.lease(tx, [{ ...plan, resources, runtimeClass: null }]),
    );
    for (const { offer } of stands) this.attempts.push({ attemptId, workerId, fence: offer.fence });
  }

  private async end({ attemptId, workerId }: Attempt, end: 'lost' | 'refused'): Promise<void> {
    await database.app.transaction(async (tx) => {
      const ended = await leases.endAttempts(tx, [{ attemptId, end, detail: null }], workerId);
      const back = ended.map(({ taskId }) => ({ taskId, free: end === 'refused', exclude: null }));
      await leases.requeue(tx, back);
    });
  }

  private async cancel(): Promise<void> {
    await database.app.transaction((tx) =>
      jobs.end(tx, [{ jobId: this.jobId, state: 'cancelled', code: null, message: null }]),
    );
    await leases.cancelOrphans(database.app, 100);
  }

  private receipt({ attemptId, workerId, fence }: Attempt): SoundReceipt {
    const hash = randomBytes(32);
    return {
      receipt: {
        network: 'test', audience: 'test', workerId, jobId: this.jobId, taskId: this.taskId, attemptId, fence, taskDigest: 'sha256:',
        runtimeClass: 'noop/1', outcome: 'succeeded', failure: null, outputs: [], commitment: null, metrics: {},
        usage: { billableMs: 1, cpuMs: 0, maxRssMib: 1 }, issuedAtMs: 0, expiresAtMs: 1,
      } as unknown as SoundReceipt['receipt'], // a digest that no schema would pass, and no store looks at
      text: '{}', hash, path: Buffer.alloc(0), batchIndex: 0, batchSize: 1, signature: hash,
    }; // prettier-ignore
  }

  /** What is wrong with the rows, whatever was tried. */
  async faults(): Promise<unknown[]> {
    const rows = await database.app.query(BROKEN, [this.taskId]);
    return this.taken > 1 ? [...rows, { rule: 'two receipts were said to count' }] : rows;
  }
}

const BROKEN = `
WITH task AS (SELECT * FROM tasks WHERE id = $1), attempt AS (SELECT * FROM attempts WHERE task_id = $1), receipt AS (SELECT * FROM receipts WHERE task_id = $1)
SELECT 'more than one result' AS rule FROM receipt HAVING count(*) > 1
UNION ALL SELECT 'a result under an old fence' FROM receipt JOIN attempt ON attempt.id = receipt.attempt_id, task WHERE attempt.fence <> task.fence
UNION ALL SELECT 'more than one live lease' FROM attempt WHERE live HAVING count(*) > 1
UNION ALL SELECT 'a live lease under an old fence' FROM attempt, task WHERE attempt.live AND attempt.fence <> task.fence
UNION ALL SELECT 'a live lease of a task that has a result' FROM attempt, task WHERE attempt.live AND task.state = 'verifying'
UNION ALL SELECT 'a result and no verdict to come' FROM receipt, task WHERE task.state NOT IN ('verifying', 'cancelled')
UNION ALL SELECT 'a task that waits and is leased' FROM attempt, task WHERE attempt.live AND task.waiting
UNION ALL SELECT 'a task that nobody has and that does not wait' FROM task WHERE state IN ('queued', 'leased', 'running') AND NOT waiting AND NOT EXISTS (SELECT FROM attempt WHERE live)
UNION ALL SELECT 'a fence without its attempt' FROM task WHERE fence <> (SELECT count(*) FROM attempt)`;

const which = fc.nat({ max: 2 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('lease' as const), worker: which }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constantFrom('activate' as const, 'report' as const, 'lose' as const),
      of: which,
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('refuse' as const), of: which }) },
  { weight: 1, arbitrary: fc.constant({ does: 'cancel' as const }) },
);
/** A round is what happens at the same time. */
const schedule = fc.array(fc.array(action, { minLength: 1, maxLength: 3 }), {
  minLength: 2,
  maxLength: 4,
});
const together = fc.array(schedule, { minLength: TOGETHER, maxLength: TOGETHER });

async function holds(schedules: readonly (readonly (readonly Action[])[])[], by: Take) {
  const faults = await Promise.all(
    schedules.map(async (rounds) => {
      const task = new Contested(by);
      await task.run(rounds);
      return task.faults();
    }),
  );
  expect(faults.flat()).toEqual([]);
}

/** Each task costs some twenty transactions. */
const DEADLINE_MS = 60_000 + SCHEDULES * 150;

test(
  `whoever leases, activates, reports, loses, refuses and cancels at once, a task has one effective result (${SCHEDULES} schedules, G4)`,
  { timeout: DEADLINE_MS },
  async ({ annotate }) => {
    await fc.assert(
      fc.asyncProperty(together, (schedules) => holds(schedules, take)),
      { numRuns: SCHEDULES / TOGETHER },
    );
    await annotate(`${SCHEDULES} schedules (2,000 asked)`, 'T3');
  },
);

/** The same statement as it must not be. */
const planted = (isFenceIgnored: boolean): Take => {
  return async (tx, { receipt, hash }) => {
    const rows = await tx.query(
      `WITH open AS (
         SELECT attempts.id, attempts.task_id, attempts.job_id, attempts.worker_id FROM attempts JOIN tasks ON tasks.id = attempts.task_id
         WHERE attempts.id = $1 AND attempts.state IN ('leased', 'running', 'lost') AND (attempts.fence = tasks.fence OR ${isFenceIgnored})
       ), task AS (
         UPDATE tasks SET state = 'verifying', waiting = false FROM open WHERE tasks.id = open.task_id AND tasks.state IN ('queued', 'leased', 'running')
       ), attempt AS (
         UPDATE attempts SET state = 'reported', live = attempts.live AND NOT ${isFenceIgnored} FROM open WHERE attempts.id = open.id AND attempts.state <> 'cancelled'
       )
       INSERT INTO receipts (attempt_id, task_id, job_id, worker_id, checked, hash, text, path, batch_index, batch_size, signature, outcome, result)
       SELECT id, task_id, job_id, worker_id, false, $2::bytea, '', '', 0, 1, '', 'succeeded', '' FROM open ON CONFLICT DO NOTHING RETURNING 1`,
      [receipt.attemptId, hash],
    );
    return rows.length;
  };
};

test.each([
  ['ignores the fence', true],
  ['leaves the lease open', false],
])('schedules find a take that %s', { timeout: DEADLINE_MS }, async (_, isFenceIgnored) => {
  const found = await fc.check(
    fc.asyncProperty(together, (schedules) => holds(schedules, planted(isFenceIgnored))),
    { numRuns: SCHEDULES / TOGETHER, endOnFailure: true },
  );
  expect(found.failed).toBe(true);
});
