import type { BudgetView, JobId } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { call, login } from '../identity/testing/wallet.js';
import { eventually } from '../testing/eventually.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_REQUESTS_PER_SECOND: '100000' } });
});
afterAll(() => host.stop());

/** Moves what a job's budgets count, and what they count it for, a day back. */
const YESTERDAY = `
WITH moved AS (
  DELETE FROM budget_uses WHERE job_id = $1 RETURNING job_id, owner, period, period_from - interval '1 day' AS period_from
), noted AS (
  INSERT INTO budget_uses SELECT job_id, owner, period, period_from FROM moved
)
UPDATE budgets SET period_from = moved.period_from FROM moved WHERE budgets.owner = moved.owner`;

/** A submitter with a login, and what it asks for most. */
async function someone() {
  const { token } = await login(host, (await StageSubmitter.with(host)).wallet);
  const ask = (method: string, path: string, body?: unknown, as = token) =>
    call(host, method, path, { token: as, ...(body === undefined ? {} : { body }) });
  return {
    ask,
    /** A job whose hold is one token, for the workers of the pool. */
    submit: (pool = 'nobody', as = token) => ask('POST', '/v1/jobs', noopJob(pool), as),
    limit: async (limits: object, path = '/v1/account/budget') =>
      (await ask('PUT', path, limits)).body as BudgetView,
    budget: async (path = '/v1/account/budget') => (await ask('GET', path)).body as BudgetView,
    key: async (more: object = {}, as = token) =>
      (await ask('POST', '/v1/keys', { name: 'k', scopes: ['jobs:write', 'keys:write'], ...more }, as))
        .body as { id: string; key: string },
  };
} // prettier-ignore

test('a hold that does not fit is refused with the limit, what is used and when it renews', async () => {
  const alice = await someone();
  await alice.limit({ day: '1.5' });
  expect((await alice.submit()).status).toBe(201);
  const { status, body } = await alice.submit();
  expect([status, body.code]).toEqual([402, 'BUDGET_EXCEEDED']);
  expect(body.budget).toEqual({
    of: 'account',
    period: 'day',
    limit: '1500000',
    used: '1000000',
    left: '500000',
    asked: '1000000',
    renewsAt: (await alice.budget()).day?.renewsAt,
  });
  const ahead = Date.parse(body.budget.renewsAt as string) - Date.now();
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThanOrEqual(24 * 3_600_000);
  expect(await alice.limit({ day: null })).toEqual({ day: null, month: null, total: null });
  expect((await alice.submit()).status).toBe(201);
});

test('of many submissions at once only as many pass as fit, whole batches included', async () => {
  const alice = await someone();
  await alice.limit({ month: '5', total: '6' });
  const answers = await Promise.all([
    ...Array.from({ length: 8 }, () => alice.submit()),
    alice.ask('POST', '/v1/jobs/batch', { jobs: [noopJob('nobody'), noopJob('nobody')] }),
  ]);
  const accepted = answers.reduce(
    (sum, { status }, i) => sum + (status === 201 ? (i === 8 ? 2 : 1) : 0),
    0,
  );
  // A batch that came last may find room for one job only, and then takes none.
  expect([4, 5]).toContain(accepted);
  expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual(
    answers.filter(({ status }) => status !== 201).map(() => 402),
  );
  const { month, total } = await alice.budget();
  expect([month?.used, total?.used]).toEqual([`${accepted}000000`, `${accepted}000000`]);
});

test('a hold counts until it is given back, and then only what was charged', async () => {
  const alice = await someone();
  await alice.limit({ day: '2' });
  const worker = await StageWorker.join(host, 'budget pool');
  const done = (await alice.submit('budget pool')).body.id as JobId;
  const dropped = (await alice.submit()).body.id as JobId;
  expect((await alice.budget()).day).toMatchObject({ used: '2000000', left: '0' });
  await worker.report(await worker.begin());
  await alice.ask('POST', `/v1/jobs/${dropped}/cancel`);
  let used: string | undefined;
  await eventually(
    () => `${used} base units are used`,
    async () => {
      used = (await alice.budget()).day?.used;
      return used !== undefined && Number(used) < 1_000_000;
    },
  );
  const { body } = await alice.ask('GET', `/v1/jobs/${done}`);
  expect(used).toBe(body.cost);
  expect(Number(used)).toBeGreaterThan(0);
});

test('a new limit counts what was accepted since its period began, but a total begins with it', async () => {
  const alice = await someone();
  const open = (await alice.submit()).body.id as JobId;
  await alice.submit();
  const { day, total } = await alice.limit({ day: '3', total: '1' });
  expect([day?.used, total?.used]).toEqual(['2000000', '0']);
  await alice.ask('POST', `/v1/jobs/${open}/cancel`);
  await eventually('the cancelled job still counts', async () =>
    (await alice.budget()).day?.used === '1000000'); // prettier-ignore
  expect((await alice.budget()).total?.used).toBe('0');
});

test('a day that is over counts no more, and a job of it gives nothing back to the next', async () => {
  const alice = await someone();
  await alice.limit({ day: '1' });
  const before = (await alice.submit()).body.id as JobId;
  expect((await alice.submit()).status).toBe(402);
  await host.db.query(YESTERDAY, [before]);
  expect((await alice.budget()).day).toMatchObject({ used: '0', left: '1000000' });
  expect((await alice.submit()).status).toBe(201);
  await alice.ask('POST', `/v1/jobs/${before}/cancel`);
  await eventually('the hold was not given back', async () =>
    (await host.db.query(`SELECT FROM ledger_entries WHERE ref = $1 AND kind = 'release'`, [before]))
      .length === 1); // prettier-ignore
  expect((await alice.budget()).day?.used).toBe('1000000');
});

describe('a key with a budget', () => {
  test('spends no more than that, while the account and its other keys do', async () => {
    const alice = await someone();
    const { id, key } = await alice.key();
    await alice.limit({ total: '1' }, `/v1/keys/${id}/budget`);
    expect((await alice.submit('nobody', key)).status).toBe(201);
    const refused = await alice.submit('nobody', key);
    expect(refused.body.budget).toMatchObject({ of: 'key', period: 'total', renewsAt: null });
    expect((await alice.submit('nobody', (await alice.key()).key)).status).toBe(201);
    expect((await alice.submit()).status).toBe(201);
    expect((await alice.budget(`/v1/keys/${id}/budget`)).total?.left).toBe('0');
  });

  test('keeps it when it is rotated, and hands it to the keys it makes', async () => {
    const alice = await someone();
    const { id, key } = await alice.key();
    await alice.limit({ total: '1' }, `/v1/keys/${id}/budget`);
    const rotated = (await alice.ask('POST', `/v1/keys/${id}/rotate`, {})).body;
    const made = await alice.key({}, key);
    expect((await alice.submit('nobody', rotated.key)).status).toBe(201);
    for (const one of [key, rotated.key, made.key])
      expect((await alice.submit('nobody', one)).body.code).toBe('BUDGET_EXCEEDED');
  });

  test('lifts neither its own nor any other', async () => {
    const alice = await someone();
    const { id, key } = await alice.key();
    await alice.limit({ day: '1' }, `/v1/keys/${id}/budget`);
    for (const path of [`/v1/keys/${id}/budget`, '/v1/account/budget']) {
      const { status, body } = await alice.ask('PUT', path, { day: '9' }, key);
      expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
    }
  });
});
