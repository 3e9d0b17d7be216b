import { CLOSE } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetService } from '../fleet/fleet.service.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
const admin = aWallet();
beforeAll(async () => {
  host = await startNetwork({ admins: [admin.address] });
});
afterAll(() => host.stop());

test('a suspended worker loses its socket and its work, and cannot log in until it is resumed', async () => {
  const alice = await StageSubmitter.with(host);
  const { token } = await login(host, admin);
  const worker = await StageWorker.join(host, 'bad');
  const id = await alice.submit(noopJob('bad'));
  await alice.when(id, ({ taskList }) => taskList[0]?.attempts.length === 1);

  const { status, body } = await call(host, 'POST', `/v1/admin/workers/${worker.id}/suspend`, {
    token,
  });
  expect([status, body.state]).toEqual([200, 'suspended']);
  await expect.poll(() => worker.closes, { timeout: 10_000 }).toContain(CLOSE.suspended.code);
  const job = await alice.when(id, ({ taskList }) => taskList[0]?.state === 'queued');
  expect(job.taskList[0]?.attempts[0]?.state).not.toBe('leased');

  const fleet = host.app.get(FleetService);
  expect((await fleet.one(worker.id)).state).toBe('suspended');
  await call(host, 'POST', `/v1/admin/workers/${worker.id}/resume`, { token });
  expect((await fleet.one(worker.id)).state).toBe('lost');
  const kinds = await host.db.query<{ kind: string }>(
    `SELECT kind FROM trail_events WHERE subject = $1 ORDER BY xid, id`,
    [worker.id],
  );
  expect(kinds.map(({ kind }) => kind)).toEqual([
    'worker.joined',
    'worker.suspended',
    'worker.resumed',
  ]);
});

test('nobody but the operator may', async () => {
  const worker = await StageWorker.join(host, 'good');
  const { token } = await login(host, aWallet());
  const path = `/v1/admin/workers/${worker.id}/suspend`;
  expect((await call(host, 'POST', path, { token })).status).toBe(403);
  expect((await call(host, 'POST', path)).status).toBe(401);
});
