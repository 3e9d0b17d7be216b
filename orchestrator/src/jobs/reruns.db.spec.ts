import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
let alice: StageSubmitter;
let token: string;

beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
  ({ token } = await login(host, alice.wallet));
});
afterAll(() => host.stop());

async function rerun(id: string, body: object = {}, more: { key?: string; as?: string } = {}) {
  const response = await fetch(`${host.url}/v1/jobs/${id}/rerun`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${more.as ?? token}`,
      'content-type': 'application/json',
      ...(more.key === undefined ? {} : { 'idempotency-key': more.key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('a job that ended runs again as a new job, with what was changed', async () => {
  const id = await alice.submit(noopJob('again', { name: 'first', labels: { team: 'x' } }));
  expect((await rerun(id)).body).toMatchObject({ code: 'CONFLICT' });
  await alice.cancel(id);
  const { status, body } = await rerun(id, { limits: { maxCost: '2' }, labels: { try: '2' } });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    name: 'first',
    state: 'queued',
    hold: '2000000',
    labels: { try: '2' },
  });
  expect(body['id']).not.toBe(id);
  expect((await alice.job(id)).state).toBe('cancelled');
});

test('the same key gives the same job, and means nothing for another one', async () => {
  const [one, two] = [await alice.submit(noopJob('again')), await alice.submit(noopJob('again'))];
  await alice.cancel(one);
  await alice.cancel(two);
  const first = await rerun(one, {}, { key: 'once' });
  expect((await rerun(one, {}, { key: 'once' })).body['id']).toBe(first.body['id']);
  expect((await rerun(two, {}, { key: 'once' })).body['code']).toBe('IDEMPOTENCY_MISMATCH');
});

test('of a job that succeeded nothing is left to run', async () => {
  const worker = await StageWorker.join(host, 'well');
  const id = await alice.submit(noopJob('well'));
  await worker.report(await worker.begin());
  await alice.over(id);
  expect((await rerun(id, { from: 'failed' })).body).toMatchObject({ code: 'CONFLICT' });
  expect((await rerun(id, { from: 'start' })).status).toBe(201);
  const gone = await alice.submit(noopJob('gone'));
  await alice.cancel(gone);
  const again = await rerun(gone, { from: 'failed' });
  expect(again.body).toMatchObject({ state: 'queued', tasks: { total: 1 } });
});

test('another account’s job is not there to run', async () => {
  const id = await alice.submit(noopJob('again'));
  await alice.cancel(id);
  const stranger = (await login(host, aWallet())).token;
  expect((await rerun(id, {}, { as: stranger })).status).toBe(404);
  expect((await call(host, 'POST', `/v1/jobs/${id}/rerun`, { body: {} })).status).toBe(401);
});
