import type { JobDetail, JobId } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { WAIVE_AFTER_MS, Waivers } from './waivers.js';

let host: StageHost;
let alice: StageSubmitter;

beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_AUDIT_RATE: '1' } });
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

const turn = () => host.app.get(Waivers).turn();
const isChecked = async (id: JobId): Promise<boolean> => {
  const rows = await host.db.query(`SELECT 1 FROM tasks WHERE job_id = $1 AND role = 'audit'`, [
    id,
  ]);
  return rows.length > 0;
};
const verdictsOf = (id: JobId) =>
  host.db.query('SELECT verdict, reason, payer FROM verdicts WHERE job_id = $1', [id]);
const rolesOf = (job: JobDetail) =>
  job.taskList
    .flatMap(({ attempts }) => attempts.map(({ role, state }) => `${role} ${state}`))
    .sort();

/** A job whose only worker has reported it, with the check ordered. */
async function reportedAlone(pool: string): Promise<{ id: JobId; worker: StageWorker }> {
  const worker = await StageWorker.join(host, pool);
  const id = await alice.submit(noopJob(pool, { verify: 'standard' }));
  expect(await worker.report(await worker.begin())).toMatchObject({ status: 'stored' });
  await expect.poll(() => isChecked(id), { timeout: 10_000 }).toBe(true);
  return { id, worker };
}

test('an audit that nobody takes for a minute is waived, and the result stands on its own', async () => {
  const { id } = await reportedAlone('alone');
  await turn();
  host.clock.advance(WAIVE_AFTER_MS - 10_000);
  await turn();
  expect((await alice.job(id)).state).toBe('queued');
  host.clock.advance(10_000);
  await turn();
  const job = await alice.over(id);
  expect([job.state, rolesOf(job)]).toEqual(['succeeded', ['primary accepted']]);
  expect(await verdictsOf(id)).toEqual([
    { verdict: 'accepted', reason: 'no other worker could check it', payer: 'submitter' },
  ]);
  const [task] = await host.db.query<{ id: string; state: string; root_id: string }>(
    `SELECT id, state, root_id FROM tasks WHERE job_id = $1 AND role = 'audit'`,
    [id],
  );
  expect(task?.state).toBe('cancelled');
  const [event] = await host.db.query<{ body: string }>(
    `SELECT body FROM trail_events WHERE kind = 'check.waived' AND subject = $1`,
    [task?.root_id],
  );
  expect(JSON.parse(event?.body ?? '{}')).toMatchObject({ task: task?.root_id, copy: task?.id });
  await alice.when(id, ({ cost }) => cost !== '0');
});

test('an audit that a worker has taken is not waived, however long it runs', async () => {
  const { id } = await reportedAlone('taken');
  await turn();
  const checker = await StageWorker.join(host, 'taken');
  const offer = await checker.begin();
  host.clock.advance(WAIVE_AFTER_MS);
  await turn();
  host.clock.advance(WAIVE_AFTER_MS);
  await turn();
  expect((await alice.job(id)).state).not.toBe('succeeded');
  await checker.report(offer);
  const job = await alice.over(id);
  expect(rolesOf(job)).toEqual(['audit accepted', 'primary accepted']);
});

test('an audit that is only ever refused is waived as well', async () => {
  const { id } = await reportedAlone('refused');
  await turn();
  const unable = await StageWorker.join(host, 'refused');
  const { attemptId, fence } = await unable.offer();
  await unable.say({ type: 'refuse', leases: [{ attemptId, fence }], reason: 'unable' });
  host.clock.advance(WAIVE_AFTER_MS);
  await turn();
  expect(rolesOf(await alice.over(id))).toEqual(['audit cancelled', 'primary accepted']);
});

test('an audit that a worker had and failed is waived once nobody else can take it', async () => {
  const { id } = await reportedAlone('failed');
  const broken = await StageWorker.join(host, 'failed');
  const failure = { code: 'CHILD_LOST', message: 'the machine broke', fault: 'worker' } as const;
  await broken.report(await broken.begin(), { outcome: 'failed', failure });
  await turn();
  host.clock.advance(WAIVE_AFTER_MS);
  await turn();
  expect(rolesOf(await alice.over(id))).toEqual(['audit failed', 'primary accepted']);
});

test('a dispute that outlives its job and that nobody can decide is paid by nobody', async () => {
  const [one, other] = [
    await StageWorker.join(host, 'disputed'),
    await StageWorker.join(host, 'disputed'),
  ];
  const id = await alice.submit(noopJob('disputed', { verify: { replicate: 2 } }));
  await one.report(await one.begin(), { commitment: 'a'.repeat(64) });
  await other.report(await other.begin(), { commitment: 'b'.repeat(64) });
  await alice.cancel(id);
  const isOrderedAgain = async () => {
    const waiting = await host.db.query(
      `SELECT 1 FROM tasks WHERE job_id = $1 AND role = 'referee' AND waiting`,
      [id],
    );
    return waiting.length;
  };
  await expect.poll(isOrderedAgain, { timeout: 10_000 }).toBe(1);
  // A referee that was ordered at the very moment of the cancellation is dropped, and another one ordered in its place.
  const afterAMinute = async () => {
    await turn();
    host.clock.advance(WAIVE_AFTER_MS);
    await turn();
    return verdictsOf(id);
  };
  await expect.poll(afterAMinute, { timeout: 10_000, interval: 500 }).toEqual(
    Array.from({ length: 2 }, () => ({
      verdict: 'rejected',
      reason: 'disputed, its job over, and no other worker could decide',
      payer: 'nobody',
    })),
  );
  const isReleased = () =>
    host.db
      .query(`SELECT 1 FROM ledger_entries WHERE ref = $1 AND kind = 'release'`, [id])
      .then((rows) => rows.length);
  await expect.poll(isReleased, { timeout: 10_000 }).toBe(1);
});

test('a copy that the submitter asked for waits for as long as it takes', async () => {
  const worker = await StageWorker.join(host, 'replicated');
  const id = await alice.submit(noopJob('replicated', { verify: { replicate: 2 } }));
  await worker.report(await worker.begin());
  await turn();
  host.clock.advance(2 * WAIVE_AFTER_MS);
  await turn();
  expect((await alice.job(id)).state).not.toBe('succeeded');
  const second = await StageWorker.join(host, 'replicated');
  await second.report(await second.begin());
  expect(rolesOf(await alice.over(id))).toEqual(['primary accepted', 'replica accepted']);
});

test('a check comes before the work of any job', async () => {
  const { id, worker } = await reportedAlone('first');
  await worker.leave();
  const high = await alice.submit(noopJob('first', { priority: 'high' }));
  const other = await StageWorker.join(host, 'first', { slots: 1 });
  const check = await other.begin();
  expect(check.jobId).toBe(id);
  await other.report(check);
  expect((await other.begin()).jobId).toBe(high);
});

test('an audit that uses up its attempts is offered to nobody any more and waived; the job does not fail with it', async () => {
  const first = await StageWorker.join(host, 'used-up');
  const id = await alice.submit(noopJob('used-up', { verify: 'standard', retry: { max: 0 } }));
  await first.report(await first.begin());
  await expect.poll(() => isChecked(id), { timeout: 10_000 }).toBe(true);
  const broken = await StageWorker.join(host, 'used-up');
  const failure = { code: 'CHILD_LOST', message: 'the machine broke', fault: 'worker' } as const;
  await broken.report(await broken.begin(), { outcome: 'failed', failure });
  const able = await StageWorker.join(host, 'used-up');
  // A job that comes later is offered to the worker that could take the audit, so the audit was passed over.
  const later = await alice.submit(noopJob('used-up'));
  const offer = await able.begin();
  expect(offer.jobId).toBe(later);
  await able.report(offer);
  await turn();
  host.clock.advance(WAIVE_AFTER_MS);
  await turn();
  const job = await alice.over(id);
  expect([job.state, rolesOf(job)]).toEqual(['succeeded', ['audit failed', 'primary accepted']]);
});
