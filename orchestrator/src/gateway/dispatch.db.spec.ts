import { CLOSE } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { Ids } from '../platform/ids.js';
import { Wakeups } from '../platform/wakeups.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
beforeAll(async () => {
  host = await startNetwork();
});
afterAll(() => host.stop());

/** Lets the renewal of terms see that the worker was heard just now. */
function heard(worker: StageWorker): void {
  worker.session.renewedMs = -Infinity;
  worker.session.lastHeardMs = host.clock.monotonicMs();
}

const untilRenewed = (worker: StageWorker) =>
  expect.poll(() => worker.session.renewedMs, { timeout: 10_000 }).toBeGreaterThan(0);

test('a worker that was heard keeps its term and its socket', async () => {
  const worker = await StageWorker.join(host, 'heard');
  await host.db.query(
    `UPDATE workers SET lease_until = clock_timestamp() + interval '8 s' WHERE id = $1`,
    [worker.id],
  );
  heard(worker);
  await untilRenewed(worker);
  const [row] = await host.db.query<{ leftMs: number }>(
    `SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 * 1000 AS "leftMs" FROM workers WHERE id = $1`,
    [worker.id],
  );
  expect(row?.leftMs).toBeGreaterThan(9_000);
  expect(worker.closes).toEqual([]);
});

test('a worker that comes back after its term has ended is told that it was silent', async () => {
  const worker = await StageWorker.join(host, 'silent');
  await host.db.query(`UPDATE workers SET lease_until = clock_timestamp() WHERE id = $1`, [
    worker.id,
  ]);
  const state = async () =>
    (await host.db.query('SELECT state FROM workers WHERE id = $1', [worker.id]))[0]?.['state'];
  await expect.poll(state, { timeout: 10_000 }).toBe('lost');
  heard(worker);
  await untilRenewed(worker);
  expect(worker.closes).toEqual([CLOSE.silent.code]);
});

test('a worker that has logged in elsewhere is told that a newer login replaced this one', async () => {
  const worker = await StageWorker.join(host, 'replaced');
  await host.db.query('UPDATE workers SET session_id = $2 WHERE id = $1', [
    worker.id,
    host.app.get(Ids).make('session'),
  ]);
  heard(worker);
  await untilRenewed(worker);
  expect(worker.closes).toEqual([CLOSE.replaced.code]);
});

test('a worker that does not read what it is sent is cut off instead of being kept for', async () => {
  const worker = await StageWorker.join(host, 'slow');
  Object.assign(worker.session.socket, { bufferedAmount: 2 * 1024 * 1024 });
  const alice = await StageSubmitter.with(host);
  await alice.submit(noopJob('slow'));
  await expect.poll(() => worker.closes, { timeout: 10_000 }).toEqual([CLOSE.tooSlow.code]);
  expect(worker.inbox).toEqual([]);
  await worker.leave();
});

test('an offer whose session broke off is made again in the next one', async () => {
  const worker = await StageWorker.join(host, 'again');
  const alice = await StageSubmitter.with(host);
  await alice.submit(noopJob('again'));
  const first = await worker.offer();
  const next = await worker.rejoin();
  expect(await next.offer()).toEqual(first);
});

test('a worker is told at once of an attempt that another replica has stopped', async () => {
  const worker = await StageWorker.join(host, 'elsewhere');
  const alice = await StageSubmitter.with(host);
  await alice.submit(noopJob('elsewhere'));
  const { attemptId } = await worker.begin();
  // What the other replica's statement writes, and what it then says to all.
  await host.db.query(
    `UPDATE attempts SET state = 'cancelled', live = false, reason = 'job ended', finished_at = clock_timestamp() WHERE id = $1`,
    [attemptId],
  );
  await host.db.transaction((tx) => host.app.get(Wakeups).notify(tx, 'stops'));
  await expect
    .poll(() => worker.inbox, { timeout: 10_000 })
    .toContainEqual(
      expect.objectContaining({ type: 'cancel', attempts: [attemptId], reason: 'cancelled' }),
    );
  expect(worker.session.active.has(attemptId)).toBe(false);
  await worker.leave();
});

test('an attempt that was stopped for a worker that is not here is told to the other replicas', async () => {
  const worker = await StageWorker.join(host, 'not-here');
  const alice = await StageSubmitter.with(host);
  const id = await alice.submit(noopJob('not-here'));
  await worker.begin();
  await worker.leave();
  const woken = new Promise<void>((resolve) => host.app.get(Wakeups).on('stops', resolve));
  await alice.cancel(id);
  await woken;
  await alice.when(id, ({ taskList }) => taskList[0]?.attempts[0]?.state === 'cancelled');
});
