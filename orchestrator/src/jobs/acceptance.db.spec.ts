import { randomUUID } from 'node:crypto';
import type { JobSpec, JobView } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { JobsService } from './jobs.service.js';

const TOKEN = 1_000_000n;

let host: StageHost;
beforeAll(async () => {
  host = await startNetwork();
});
afterAll(() => host.stop());

const create = (by: StageSubmitter, spec: JobSpec, key?: string): Promise<JobView> =>
  host.app.get(JobsService).create(
    {
      accountId: by.accountId,
      operation: 'createJob',
      bodyText: JSON.stringify(spec),
      idempotencyKey: key,
    },
    spec,
  );
const jobsOf = (by: StageSubmitter) =>
  host.db.query<{ id: string }>('SELECT id FROM jobs WHERE account_id = $1', [by.accountId]);

test('of requests that come together only those that lack money are refused (G1)', async () => {
  const rich = await StageSubmitter.with(host, 100);
  const poor = await StageSubmitter.with(host, 1);
  const spec = noopJob('nobody', { limits: { maxCost: '1' } });
  const outcomes = await Promise.allSettled(
    [rich, poor, poor, rich, poor, rich].map((by) => create(by, spec)),
  );
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(outcomes[2]).toMatchObject({
    reason: { code: 'INSUFFICIENT_FUNDS', more: { missing: '1000000' } },
  });
  expect(await jobsOf(rich)).toHaveLength(3);
  expect(await jobsOf(poor)).toHaveLength(1);
  expect(await host.app.get(LedgerBook).balances(rich.accountId)).toMatchObject({
    available: 97n * TOKEN,
    held: 3n * TOKEN,
  });
});

test('requests that share a key and come together make one job, with one answer (G2)', async () => {
  const alice = await StageSubmitter.with(host, 100);
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => create(alice, noopJob('nobody'), key)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await jobsOf(alice)).toEqual([{ id: answers[0]?.id }]);
});

test('a key is an account’s own, and stands for the request that took it (G2)', async () => {
  const [alice, bob] = [await StageSubmitter.with(host, 9), await StageSubmitter.with(host, 9)];
  const key = randomUUID();
  const [hers, his, other] = await Promise.allSettled([
    create(alice, noopJob('nobody'), key),
    create(bob, noopJob('nobody'), key),
    create(alice, noopJob('somebody'), key),
  ]);
  expect(his.status).toBe('fulfilled');
  // Which of hers comes first is decided by who has a price first.
  const refused = hers.status === 'rejected' ? hers : other;
  expect([hers.status, other.status].sort()).toEqual(['fulfilled', 'rejected']);
  expect(refused).toMatchObject({ reason: { code: 'IDEMPOTENCY_MISMATCH' } });
  expect(await jobsOf(alice)).toHaveLength(1);
  expect(await jobsOf(bob)).toHaveLength(1);
});
