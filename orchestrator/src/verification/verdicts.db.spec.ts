import type { AttemptView, JobDetail, JobId, Receipt } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
let alice: StageSubmitter;

beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_AUDIT_RATE: '1', TIDEMILL_FEE_BPS: '1000' } });
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

const attemptsOf = (job: JobDetail): AttemptView[] =>
  job.taskList.flatMap(({ attempts }) => attempts);
/** What became of each worker's attempt. */
const fates = (job: JobDetail, ...workers: StageWorker[]) =>
  workers.map(({ id }) => attemptsOf(job).find(({ workerId }) => workerId === id)?.state);
const payersOf = async (id: JobId, ...workers: StageWorker[]) => {
  const rows = await host.db.query<{ worker_id: string; payer: string }>(
    `SELECT attempts.worker_id, verdicts.payer FROM verdicts JOIN attempts ON attempts.id = verdicts.attempt_id WHERE verdicts.job_id = $1`,
    [id],
  );
  return workers.map((worker) => rows.find(({ worker_id }) => worker_id === worker.id)?.payer);
};
const saying = (answer: string): Partial<Receipt> => ({ commitment: answer.repeat(64) });
const failing = (code: string, message: string): Partial<Receipt> => ({
  outcome: 'failed',
  failure: { code, message, fault: 'job' },
});

/** A worker of the pool that takes the next task there is and answers it so. */
async function answer(pool: string, says: Partial<Receipt>): Promise<StageWorker> {
  const worker = await StageWorker.join(host, pool);
  await worker.report(await worker.begin(), says);
  await worker.leave();
  return worker;
}

describe('a job whose own code fails', () => {
  test('says with which code and in which words, made harmless', async () => {
    const id = await alice.submit(noopJob('fails'));
    await answer('fails', failing('NO_SUCH_COLUMN', 'column \u001b[2J"x"\nis not there'));
    expect(await alice.over(id)).toMatchObject({
      state: 'failed',
      reason: { code: 'NO_SUCH_COLUMN', message: 'column \\u001b[2J"x"\\u000ais not there' },
    });
  });

  test('has failed once two executions agree that it does, however they put it', async () => {
    const id = await alice.submit(noopJob('agree', { verify: 'standard' }));
    const first = await answer('agree', failing('OUT_OF_RANGE', 'row 7'));
    const second = await answer('agree', failing('OUT_OF_RANGE', 'the seventh row'));
    const job = await alice.over(id);
    expect(job.reason).toEqual({ code: 'OUT_OF_RANGE', message: 'row 7' });
    expect(fates(job, first, second)).toEqual(['accepted', 'accepted']);
    expect(await payersOf(id, first, second)).toEqual(['submitter', 'fees']);
  });

  test('is not believed to fail by one worker alone', async () => {
    const id = await alice.submit(noopJob('lies', { verify: 'standard' }));
    const liar = await answer('lies', failing('OUT_OF_RANGE', 'I could not be bothered'));
    const checker = await answer('lies', saying('a'));
    const referee = await answer('lies', saying('a'));
    const job = await alice.over(id);
    expect([job.state, job.reason]).toEqual(['succeeded', null]);
    expect(fates(job, liar, checker, referee)).toEqual(['rejected', 'accepted', 'accepted']);
    expect(await payersOf(id, liar, checker, referee)).toEqual(['nobody', 'fees', 'fees']);
  });
});

describe('two that disagree', () => {
  test('wait for a third, who decides for the first', async () => {
    const id = await alice.submit(noopJob('for-first', { verify: 'standard' }));
    const first = await answer('for-first', saying('a'));
    const second = await answer('for-first', saying('b'));
    await alice.when(id, (job) => attemptsOf(job).every(({ state }) => state === 'disputed'));
    const referee = await answer('for-first', saying('a'));
    const job = await alice.over(id);
    expect(fates(job, first, second, referee)).toEqual(['accepted', 'rejected', 'accepted']);
    expect(await payersOf(id, first, second, referee)).toEqual(['submitter', 'nobody', 'fees']);
    const [row] = await host.db.query('SELECT accepted, rejected FROM workers WHERE id = $1', [
      second.id,
    ]);
    expect(row).toEqual({ accepted: 0, rejected: 1 });
  });

  test('wait on when the third says something else again', async () => {
    const id = await alice.submit(noopJob('three', { verify: { replicate: 2 } }));
    const workers = [];
    for (const said of ['a', 'b', 'c']) workers.push(await answer('three', saying(said)));
    await alice.when(
      id,
      (job) =>
        attemptsOf(job).length === 3 && attemptsOf(job).every(({ state }) => state === 'disputed'),
    );
    expect((await alice.job(id)).state).not.toBe('succeeded');
    workers.push(await answer('three', saying('c')));
    workers.push(await answer('three', saying('c')));
    const job = await alice.over(id);
    expect(job.state).toBe('succeeded');
    expect(fates(job, ...workers)).toEqual([
      'rejected',
      'rejected',
      'accepted',
      'accepted',
      'accepted',
    ]);
    // Nobody that the submitter asked for was right, so the network pays for all of it.
    expect(await payersOf(id, ...workers)).toEqual(['nobody', 'nobody', 'fees', 'fees', 'fees']);
    await alice.when(id, ({ cost }) => cost === '0');
  });

  test('are not judged by one of themselves', async () => {
    const id = await alice.submit(noopJob('selves', { verify: 'standard' }));
    const first = await StageWorker.join(host, 'selves');
    await first.report(await first.begin(), saying('a'));
    const second = await StageWorker.join(host, 'selves');
    await second.report(await second.begin(), saying('b'));
    await alice.when(id, (job) => attemptsOf(job).every(({ state }) => state === 'disputed'));
    const [referee] = await host.db.query<{ waiting: boolean }>(
      `SELECT waiting FROM tasks WHERE job_id = $1 AND role = 'referee'`,
      [id],
    );
    expect(referee?.waiting).toBe(true);
    // Both are online and idle, and work for others.
    const other = await alice.submit(noopJob('selves'));
    const taker = await Promise.any([first.begin(), second.begin()]);
    expect(taker.jobId).toBe(other);
  });
});

test('a job that is cancelled while it is checked is settled by what has reported', async () => {
  const id = await alice.submit(noopJob('cancelled', { verify: 'standard' }));
  const only = await answer('cancelled', saying('a'));
  await alice.when(id, (job) => attemptsOf(job).some(({ state }) => state === 'reported'));
  await alice.cancel(id);
  await alice.when(id, (job) => fates(job, only)[0] === 'accepted');
  expect(await payersOf(id, only)).toEqual(['submitter']);
  const tasks = await host.db.query<{ role: string; state: string }>(
    'SELECT role, state FROM tasks WHERE job_id = $1 ORDER BY role DESC',
    [id],
  );
  expect(
    tasks.filter(({ role }) => role === 'audit').every(({ state }) => state === 'cancelled'),
  ).toBe(true);
});

test('what is drawn for an audit is executed by another worker and paid by the network', async () => {
  const id = await alice.submit(noopJob('audited', { verify: 'standard' }));
  const first = await StageWorker.join(host, 'audited');
  await first.report(await first.begin(), saying('a'));
  const second = await answer('audited', saying('a'));
  const job = await alice.over(id);
  expect(fates(job, first, second)).toEqual(['accepted', 'accepted']);
  expect(await payersOf(id, first, second)).toEqual(['submitter', 'fees']);
  const events = await host.db.query<{ kind: string }>(
    `SELECT kind FROM trail_events WHERE subject = ANY ($1) AND kind IN ('receipt.stored', 'check.ordered', 'verdict.given') ORDER BY id`,
    [[...attemptsOf(job).map((attempt) => attempt.id), job.taskList[0]?.id]],
  );
  // The first result is in the trail before anybody draws.
  expect(events.map(({ kind }) => kind).slice(0, 2)).toEqual(['receipt.stored', 'check.ordered']);
});
