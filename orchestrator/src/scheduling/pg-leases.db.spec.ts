import type { AttemptId, TaskId, WorkerId } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trailDatabase, type TrailDatabase } from '../trail/testing/trail-database.js';
import type { NewLease } from './leases.store.js';
import { PgLeasesStore } from './pg-leases.store.js';

const store = new PgLeasesStore();
let database: TrailDatabase;

beforeAll(async () => {
  database = await trailDatabase();
});
afterAll(() => database.drop());

let made = 0;
const name = (kind: string): string => `${kind}_${String((made += 1)).padStart(4, '0')}`;

async function aWorker(state = 'online'): Promise<WorkerId> {
  const id = name('wrk') as WorkerId;
  await database.app.query(
    `INSERT INTO workers (id, public_key, name, payout, state, capabilities, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, slots, gpu_ask, cpu_ask)
     VALUES ($1, $1, 'a worker', $1, $2, '{}', 0, 0, 1000, 1000, 1000, 4, 7, 11)`,
    [id, state],
  );
  return id;
}

/** A job with one task that waits. */
async function aTask(
  more: { verify?: string; role?: string; root?: TaskId } = {},
): Promise<TaskId> {
  const [job, id] = [name('job'), name('tsk') as TaskId];
  await database.app.query(
    `INSERT INTO jobs (id, account_id, kind, spec, needs, verify, priority, max_attempts, max_duration_ms, hold, task_cap, tasks_total, tasks_left)
     VALUES ($1, 'acc', 'batch', '{}', '{}', $2, 1, 4, 60000, 0, 1000000, 1, 1)`,
    [job, more.verify ?? '{"method":"none"}'],
  );
  await database.app.query(
    `INSERT INTO tasks (id, job_id, idx, role, root_id, priority, payload, payload_digest) VALUES ($1, $2, 0, $3, $4, 1, '{"runtime":"noop"}', 'sha256:')`,
    [id, job, more.role ?? 'primary', more.root ?? id],
  );
  return id;
}

const planned = (taskId: TaskId, workerId: WorkerId, change: Partial<NewLease> = {}): NewLease => ({
  attemptId: name('att') as AttemptId,
  taskId,
  fence: 0,
  workerId,
  revision: 1,
  resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 100, memoryMib: 64, diskMib: 0 },
  runtimeClass: null,
  ...change,
});
const lease = (...leases: NewLease[]) => database.app.transaction((tx) => store.lease(tx, leases));

/** A task that the worker has been leased. */
async function leased(workerId: WorkerId) {
  const taskId = await aTask();
  const plan = planned(taskId, workerId);
  await lease(plan);
  return { ...plan, fence: 1, agoMs: 0 };
}
const active = async (workerId: WorkerId) => {
  const held = await leased(workerId);
  await store.activate(database.app, [held]);
  return held;
};

async function row<R extends object>(table: string, id: string): Promise<R> {
  const [found] = await database.app.query<R>(`SELECT * FROM ${table} WHERE id = $1`, [id]);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}
const task = (id: TaskId) =>
  row<{
    state: string;
    waiting: boolean;
    fence: number;
    attempts_used: number;
    excluded: string[] | null;
    runtime_class: string | null;
    job_id: string;
  }>('tasks', id);
const attempt = (id: AttemptId) =>
  row<{
    state: string;
    live: boolean;
    reason: string | null;
    fence: number;
    number: number;
    gpu_ask: bigint;
    cpu_ask: bigint;
  }>('attempts', id);

describe('a lease', () => {
  test('raises the fence, takes the task from the line and freezes the asks', async () => {
    const [taskId, workerId] = [await aTask(), await aWorker()];
    const plan = planned(taskId, workerId);
    const [made] = await lease(plan);
    expect(made).toMatchObject({
      workerId,
      offer: {
        taskId,
        attemptId: plan.attemptId,
        fence: 1,
        payload: '{"runtime":"noop"}',
        inputs: [],
        maxDurationMs: 60_000,
      },
    });
    expect(await task(taskId)).toMatchObject({
      state: 'leased',
      waiting: false,
      fence: 1,
      attempts_used: 1,
    });
    await database.app.query('UPDATE workers SET cpu_ask = 1000000 WHERE id = $1', [workerId]);
    expect(await attempt(plan.attemptId)).toMatchObject({
      state: 'leased',
      live: true,
      number: 1,
      gpu_ask: 7n,
      cpu_ask: 11n,
    });
  });

  test('is refused when what was read has changed, and the rest of the plan stands', async () => {
    const workers = await Promise.all([
      aWorker(),
      aWorker(),
      aWorker('draining'),
      aWorker('lost'),
      aWorker(),
    ]);
    const [good, changed, draining, lost, other] = workers;
    await database.app.query('UPDATE workers SET revision = 2 WHERE id = $1', [changed]);
    const tasks = await Promise.all(Array.from({ length: 6 }, () => aTask()));
    const [fine, staleWorker, drainedTask, lostTask, staleFence, cancelled] = tasks as [
      TaskId,
      TaskId,
      TaskId,
      TaskId,
      TaskId,
      TaskId,
    ];
    await database.app.query(
      `UPDATE tasks SET state = 'cancelled', waiting = false WHERE id = $1`,
      [cancelled],
    );
    const plans = [
      planned(fine, good),
      planned(staleWorker, changed),
      planned(drainedTask, draining),
      planned(lostTask, lost),
      planned(staleFence, other, { fence: 3 }),
      planned(cancelled, other),
      planned(name('tsk') as TaskId, other),
    ];
    const stands = await lease(...plans);
    expect(stands.map(({ offer }) => offer.taskId)).toEqual([fine]);
    for (const id of [staleWorker, drainedTask, lostTask, staleFence])
      expect(await task(id)).toMatchObject({
        state: 'queued',
        waiting: true,
        fence: 0,
        attempts_used: 0,
      });
    const [count] = await database.app.query(
      'SELECT count(*)::int AS n FROM attempts WHERE id = ANY ($1)',
      [plans.map(({ attemptId }) => attemptId)],
    );
    expect(count).toEqual({ n: 1 });
  });

  test('of one task planned by two at once is given once', async () => {
    const taskId = await aTask();
    const workers = await Promise.all(Array.from({ length: 4 }, () => aWorker()));
    const stands = await Promise.all(workers.map((workerId) => lease(planned(taskId, workerId))));
    expect(stands.flat()).toHaveLength(1);
    expect(await task(taskId)).toMatchObject({ fence: 1, attempts_used: 1 });
  });

  test('raises the fence every time, and the old fence opens nothing any more', async () => {
    const [taskId, workerId] = [await aTask(), await aWorker()];
    for (const fence of [0, 1, 2]) {
      const plan = planned(taskId, workerId, { fence });
      expect(await lease(planned(taskId, workerId, { fence: fence + 1 }))).toEqual([]);
      expect((await lease(plan))[0]?.offer.fence).toBe(fence + 1);
      const ended = await store.endAttempts(
        database.app,
        [{ attemptId: plan.attemptId, end: 'lost', detail: null }],
        null,
      );
      expect(ended).toMatchObject([{ taskId, attemptsUsed: fence + 1, maxAttempts: 4 }]);
      await store.requeue(database.app, [{ taskId, free: false, exclude: null }]);
    }
    expect(await task(taskId)).toMatchObject({
      state: 'queued',
      waiting: true,
      fence: 3,
      attempts_used: 3,
    });
  });

  test('binds all executions of a task to the class of the first', async () => {
    const root = await aTask({ verify: '{"method":"replicate","copies":2}' });
    const copy = await aTask({ role: 'replica', root });
    await lease(planned(root, await aWorker(), { runtimeClass: 'noop/1' }));
    expect([(await task(root)).runtime_class, (await task(copy)).runtime_class]).toEqual([
      'noop/1',
      'noop/1',
    ]);
    await lease(planned(copy, await aWorker(), { runtimeClass: 'noop/2' }));
    expect((await task(copy)).runtime_class).toBe('noop/1');
  });
});

describe('a lease that is taken', () => {
  test('makes the attempt, its task and its job run', async () => {
    const held = await leased(await aWorker());
    expect(await store.activate(database.app, [held])).toEqual(new Set([held.attemptId]));
    expect((await attempt(held.attemptId)).state).toBe('running');
    const { state, job_id } = await task(held.taskId);
    expect([state, (await row<{ state: string }>('jobs', job_id)).state]).toEqual([
      'running',
      'running',
    ]);
  });

  test('is so once, however often that is said', async () => {
    const held = await active(await aWorker());
    const { started_at } = await row<{ started_at: Date }>('attempts', held.attemptId);
    expect(await store.activate(database.app, [held])).toEqual(new Set([held.attemptId]));
    expect(await row('attempts', held.attemptId)).toMatchObject({ started_at });
  });

  test('counts from when the worker took it, not from when that is written', async () => {
    const held = await leased(await aWorker());
    const unknown = await leased(await aWorker());
    const shift = `UPDATE attempts SET leased_at = leased_at - interval '2 seconds' WHERE id = ANY ($1)`;
    await database.superuser.query(shift, [[held.attemptId, unknown.attemptId]]);
    await store.activate(database.app, [
      { ...held, agoMs: 500 },
      { ...unknown, agoMs: null },
    ]);

    const [taken] = await database.superuser.query<{ ago: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - started_at)::float8 * 1000 AS ago FROM attempts WHERE id = $1`,
      [held.attemptId],
    );
    expect(taken?.ago).toBeGreaterThanOrEqual(500);
    expect(taken?.ago).toBeLessThan(2_000);
    const { started_at, leased_at } = await row<{ started_at: Date; leased_at: Date }>(
      'attempts',
      unknown.attemptId,
    );
    expect(started_at).toEqual(leased_at);
  });

  test('cannot be by another worker, under another fence, or after its end', async () => {
    const held = await leased(await aWorker());
    const gone = await leased(await aWorker());
    await store.endAttempts(
      database.app,
      [{ attemptId: gone.attemptId, end: 'offer_timeout', detail: null }],
      null,
    );
    const wrong = [
      { ...held, workerId: await aWorker() },
      { ...held, fence: 2 },
      gone,
      { ...held, attemptId: name('att') as AttemptId },
    ];
    expect(await store.activate(database.app, wrong)).toEqual(new Set());
    expect((await attempt(held.attemptId)).state).toBe('leased');
  });
});

describe('an end', () => {
  test('is counted against the worker that was lost or failed, and once', async () => {
    const workerId = await aWorker();
    const [lost, failed, refused] = [
      await active(workerId),
      await active(workerId),
      await leased(workerId),
    ];
    const ends = [
      { attemptId: lost.attemptId, end: 'lost', detail: 'gone' },
      { attemptId: failed.attemptId, end: 'worker_fault', detail: null },
      { attemptId: refused.attemptId, end: 'refused', detail: 'busy' },
    ] as const;
    expect(await store.endAttempts(database.app, ends, workerId)).toHaveLength(3);
    expect(await store.endAttempts(database.app, ends, workerId)).toEqual([]);
    expect(await attempt(lost.attemptId)).toMatchObject({
      state: 'lost',
      live: false,
      reason: 'gone',
    });
    expect(await attempt(failed.attemptId)).toMatchObject({
      state: 'failed',
      reason: 'worker_fault',
    });
    expect(await attempt(refused.attemptId)).toMatchObject({ state: 'cancelled', reason: 'busy' });
    expect(await row('workers', workerId)).toMatchObject({ lost: 1, failed: 1 });
  });

  test('is not for another worker to say', async () => {
    const held = await active(await aWorker());
    const end = { attemptId: held.attemptId, end: 'refused', detail: null } as const;
    expect(await store.endAttempts(database.app, [end], await aWorker())).toEqual([]);
    expect((await attempt(held.attemptId)).live).toBe(true);
  });

  test('of a task that has gone on without it leaves the task alone', async () => {
    const held = await active(await aWorker());
    await database.superuser.query('UPDATE tasks SET fence = 2 WHERE id = $1', [held.taskId]);
    const end = { attemptId: held.attemptId, end: 'lost', detail: null } as const;
    expect(await store.endAttempts(database.app, [end], null)).toEqual([]);
    expect((await attempt(held.attemptId)).state).toBe('lost');
  });

  test('puts the task back: free of charge or not, and without a worker that could not do it', async () => {
    const worker = await aWorker();
    const [free, charged] = [await leased(worker), await active(worker)];
    await store.requeue(database.app, [
      { taskId: free.taskId, free: true, exclude: null },
      { taskId: charged.taskId, free: false, exclude: worker },
    ]);
    expect(await task(free.taskId)).toMatchObject({
      state: 'queued',
      waiting: true,
      attempts_used: 0,
      excluded: null,
    });
    expect(await task(charged.taskId)).toMatchObject({
      state: 'queued',
      waiting: true,
      attempts_used: 1,
      excluded: [worker],
    });
  });

  test('does not bring a task back that has ended', async () => {
    const held = await active(await aWorker());
    await store.fail(database.app, [held.taskId]);
    await store.requeue(database.app, [{ taskId: held.taskId, free: true, exclude: null }]);
    expect(await task(held.taskId)).toMatchObject({ state: 'failed', waiting: false });
  });
});

describe('what is looked for', () => {
  test('a worker that logs in keeps what it holds and has forgotten what it took and does not hold', async () => {
    const worker = await aWorker();
    const [held, forgotten, offered, over] = [
      await active(worker),
      await active(worker),
      await leased(worker),
      await active(worker),
    ];
    await store.endAttempts(
      database.app,
      [{ attemptId: over.attemptId, end: 'lost', detail: null }],
      null,
    );
    const { attemptId: foreign } = await active(await aWorker());
    const holding = [held.attemptId, over.attemptId, foreign];
    expect(await store.reconcile(database.app, worker, holding)).toEqual({
      kept: [held.attemptId],
      forgotten: [forgotten.attemptId],
    });
    expect((await attempt(offered.attemptId)).live).toBe(true);
  });

  test('offers that nobody took in time, but none that was taken', async () => {
    const worker = await aWorker();
    const [stale, fresh, taken] = [
      await leased(worker),
      await leased(worker),
      await active(worker),
    ];
    await database.superuser.query(
      `UPDATE attempts SET leased_at = leased_at - interval '6 s' WHERE id = ANY ($1)`,
      [[stale.attemptId, taken.attemptId]],
    );
    const found = await store.staleOffers(database.app, 5_000, 1_000);
    const mine = [stale, fresh, taken].map(({ attemptId }) => found.includes(attemptId));
    expect(mine).toEqual([true, false, false]);
  });

  test('attempts that run for longer than their job allows', async () => {
    const worker = await aWorker();
    const [late, fine] = [await active(worker), await active(worker)];
    await database.superuser.query(
      `UPDATE attempts SET started_at = started_at - interval '66 s' WHERE id = $1`,
      [late.attemptId],
    );
    const found = await store.overrun(database.app, 5_000, 1_000);
    expect([found.includes(late.attemptId), found.includes(fine.attemptId)]).toEqual([true, false]);
  });

  test('attempts of lost workers, and whether they were taken', async () => {
    const worker = await aWorker();
    const [taken, offered] = [await active(worker), await leased(worker)];
    await database.app.query(`UPDATE workers SET state = 'lost' WHERE id = $1`, [worker]);
    const ids: string[] = [taken.attemptId, offered.attemptId];
    const found = (await store.ofLostWorkers(database.app, 1_000)).filter(({ id }) =>
      ids.includes(id),
    );
    expect(found).toEqual([
      { id: taken.attemptId, taken: true },
      { id: offered.attemptId, taken: false },
    ]);
  });

  test('attempts whose job has ended are cancelled, each with the worker to be told', async () => {
    const worker = await aWorker();
    const [orphan, fine] = [await active(worker), await active(worker)];
    await database.app.query(`UPDATE tasks SET state = 'cancelled' WHERE id = $1`, [orphan.taskId]);
    const stops = (await store.cancelOrphans(database.app, 1_000)).filter(
      ({ workerId }) => workerId === worker,
    );
    expect(stops).toEqual([{ workerId: worker, attemptId: orphan.attemptId }]);
    expect(await attempt(orphan.attemptId)).toMatchObject({ state: 'cancelled', live: false });
    expect((await attempt(fine.attemptId)).live).toBe(true);
  });

  test('offers that are open, as they were made', async () => {
    const worker = await aWorker();
    const offered = await leased(worker);
    await active(worker);
    expect(await store.openOffers(database.app, [worker])).toMatchObject([
      {
        workerId: worker,
        offer: {
          attemptId: offered.attemptId,
          taskId: offered.taskId,
          fence: 1,
          maxDurationMs: 60_000,
        },
      },
    ]);
  });
});
