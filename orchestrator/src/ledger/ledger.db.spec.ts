import type { JobId, Receipt } from '@tidemill/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Config } from '../config/env.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { JobEvents } from '../jobs/job-events.js';
import { PgDb } from '../platform/db/pg-db.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { LedgerService } from './ledger.service.js';
import { ReleaseService } from './release.service.js';

const TOKEN = 1_000_000n;
const CREDIT = 10n;
const DAY_MS = 24 * 3_600_000;

let host: StageHost;
let alice: StageSubmitter;
/** Moves times that no role of the network may move. */
let superuser: PgDb;

beforeAll(async () => {
  host = await startNetwork({
    env: { TIDEMILL_RELEASE: 'standard', TIDEMILL_FEE_BPS: '1000', TIDEMILL_AUDIT_RATE: '1' },
  });
  const url = host.app.get(Config).databaseUrl;
  superuser = new PgDb({ url, role: 'none', max: 1, name: 'test' }, pino({ level: 'silent' }));
});
afterAll(async () => {
  await superuser.close();
  await host.stop();
});
beforeEach(async () => {
  alice = await StageSubmitter.with(host, Number(CREDIT));
});

const balances = (owner: string) => host.app.get(LedgerBook).balances(owner);
const entries = (id: string) =>
  host.db.query<{ kind: string }>('SELECT kind FROM ledger_entries WHERE ref = $1 ORDER BY id', [
    id,
  ]);
const chargesOf = (id: JobId) =>
  host.db.query<{
    worker_id: string;
    price: bigint;
    fee: bigint;
    payer: string;
    released: boolean;
  }>(
    'SELECT worker_id, price, fee, payer, released FROM charges WHERE job_id = $1 ORDER BY attempt_id',
    [id],
  );
/** Once nothing of the submitter's is held any more. */
const settled = () =>
  expect.poll(async () => (await balances(alice.accountId)).held, { timeout: 15_000 }).toBe(0n);

/** A worker of the pool that takes the next task and measures so many milliseconds for it, or says something else. */
async function work(pool: string, tookMs: number, says: Partial<Receipt> = {}) {
  const worker = await StageWorker.join(host, pool);
  const offer = await worker.begin();
  // The network writes a lease down as active a moment after it is taken, and counts from there.
  await sleep(tookMs + 60);
  await worker.report(offer, { usage: { billableMs: tookMs, cpuMs: 0, maxRssMib: 1 }, ...says });
  await worker.leave();
  return worker;
}
const claiming = (billableMs: number): Partial<Receipt> => ({
  usage: { billableMs, cpuMs: 0, maxRssMib: 1 },
});

describe('a charge', () => {
  test('is what the worker measured, at its ask; a tenth of it is the fee', async () => {
    const id = await alice.submit(noopJob('price'));
    const worker = await work('price', 55);
    await settled();
    // A tenth of a core at 36 tokens an hour costs one unit a millisecond.
    expect(await chargesOf(id)).toEqual([
      { worker_id: worker.id, price: 55n, fee: 5n, payer: 'submitter', released: false },
    ]);
    expect(await balances(worker.id)).toMatchObject({ pending: 50n, earned: 0n });
    expect(await balances(alice.accountId)).toMatchObject({
      available: CREDIT * TOKEN - 55n,
      held: 0n,
    });
  });

  test('is never for longer than the network saw, whatever the worker says', async () => {
    const id = await alice.submit(noopJob('liar'));
    const sinceMs = performance.now();
    await work('liar', 30, claiming(3_600_000));
    const sawMs = BigInt(Math.ceil(performance.now() - sinceMs));
    await settled();
    const [charge] = await chargesOf(id);
    expect(charge?.price).toBeGreaterThanOrEqual(30n);
    expect(charge?.price).toBeLessThanOrEqual(sawMs);
  });

  test('is never more than the task’s part of the hold', async () => {
    const id = await alice.submit(noopJob('capped', { limits: { maxCost: '0.000007' } }));
    await work('capped', 40);
    await settled();
    expect(await chargesOf(id)).toMatchObject([{ price: 7n, fee: 0n }]);
    expect(await balances(alice.accountId)).toMatchObject({
      available: CREDIT * TOKEN - 7n,
      held: 0n,
    });
  });

  test('of replicas is for each that was asked for, out of one hold', async () => {
    const id = await alice.submit(
      noopJob('twice', { verify: { replicate: 2 }, limits: { maxCost: '0.00005' } }),
    );
    await work('twice', 60);
    await work('twice', 20);
    await settled();
    // The hold of 50 is for two, so neither costs more than 25.
    expect((await chargesOf(id)).map(({ price }) => price).sort()).toEqual([20n, 25n]);
    expect(await balances(alice.accountId)).toMatchObject({
      available: CREDIT * TOKEN - 45n,
      held: 0n,
    });
  });

  test('of a check is the network’s, and the submitter pays for its own execution only', async () => {
    const before = await balances('network');
    const id = await alice.submit(noopJob('audit', { verify: 'standard' }));
    const first = await work('audit', 80);
    const second = await work('audit', 30);
    await settled();
    await expect.poll(async () => (await chargesOf(id)).length, { timeout: 15_000 }).toBe(2);
    const charges = await chargesOf(id);
    expect(charges.find(({ worker_id }) => worker_id === first.id)).toMatchObject({
      price: 80n,
      fee: 8n,
      payer: 'submitter',
    });
    expect(charges.find(({ worker_id }) => worker_id === second.id)).toMatchObject({
      price: 30n,
      fee: 0n,
      payer: 'fees',
    });
    expect((await balances('network')).fees - before.fees).toBe(8n - 30n);
    expect((await alice.job(id)).cost).toBe('80');
  });

  test('is due when the job’s own code failed', async () => {
    const id = await alice.submit(noopJob('failed'));
    const failure = { code: 'BROKE', message: 'its own fault', fault: 'job' } as const;
    await work('failed', 25, { outcome: 'failed', failure });
    await settled();
    expect(await chargesOf(id)).toMatchObject([{ price: 25n }]);
  });
});

describe('a hold', () => {
  test('that nothing was charged to goes back as a whole', async () => {
    const id = await alice.submit(noopJob('cancelled', { limits: { maxCost: '3' } }));
    expect(await balances(alice.accountId)).toMatchObject({
      available: (CREDIT - 3n) * TOKEN,
      held: 3n * TOKEN,
    });
    await alice.cancel(id);
    await settled();
    expect(await balances(alice.accountId)).toMatchObject({ available: CREDIT * TOKEN, held: 0n });
    expect((await entries(id)).map(({ kind }) => kind)).toEqual(['hold', 'release']);
  });

  test('of a job that failed at the hands of workers goes back as a whole', async () => {
    const id = await alice.submit(noopJob('faulty', { retry: { max: 0 } }));
    const failure = { code: 'DISK_FULL', message: 'no room', fault: 'worker' } as const;
    await work('faulty', 20, { outcome: 'failed', failure });
    await settled();
    expect(await chargesOf(id)).toEqual([]);
    expect(await balances(alice.accountId)).toMatchObject({ available: CREDIT * TOKEN, held: 0n });
  });

  test('is released once, however often the stage turns', async () => {
    const id = await alice.submit(noopJob('once', { verify: { replicate: 2 } }));
    await work('once', 15);
    await work('once', 15);
    await settled();
    for (let i = 0; i < 3; i += 1) await host.app.get(LedgerService).turn();
    expect((await entries(id)).map(({ kind }) => kind)).toEqual(['hold', 'release']);
    expect(await chargesOf(id)).toHaveLength(2);
  });

  test('goes back with the charge, where there is only one', async () => {
    const id = await alice.submit(noopJob('only'));
    await work('only', 15);
    await settled();
    for (let i = 0; i < 3; i += 1) await host.app.get(LedgerService).turn();
    expect((await entries(id)).map(({ kind }) => kind)).toEqual(['hold']);
    const [charge] = await chargesOf(id);
    expect(await balances(alice.accountId)).toMatchObject({
      available: CREDIT * TOKEN - (charge?.price ?? 0n),
      held: 0n,
    });
    expect(await host.app.get(JobEvents).isBilled(id)).toBe(true);
  });

  test('waits for the verdict of what was reported before the job was cancelled', async () => {
    const id = await alice.submit(noopJob('late', { verify: { replicate: 2 } }));
    await work('late', 35);
    await alice.cancel(id);
    await settled();
    expect(await chargesOf(id)).toMatchObject([{ price: 35n }]);
    expect(await balances(alice.accountId)).toMatchObject({
      available: CREDIT * TOKEN - 35n,
      held: 0n,
    });
  });
});

describe('what a worker has earned', () => {
  const turn = () => host.app.get(ReleaseService).turn();
  const age = (id: string, ms: number) =>
    superuser.query(`UPDATE charges SET at = at - $2 * interval '1 ms' WHERE worker_id = $1`, [
      id,
      ms,
    ]);
  const resultsMore = (id: string, count: number) =>
    host.db.query('UPDATE workers SET accepted = accepted + $2 WHERE id = $1', [id, count]);

  async function paid(pool: string): Promise<StageWorker> {
    await alice.submit(noopJob(pool));
    const worker = await work(pool, 40);
    await settled();
    return worker;
  }

  test('can be withheld for a day, however much it does', async () => {
    const { id } = await paid('young');
    await resultsMore(id, 1_000);
    await age(id, DAY_MS - 60_000);
    await turn();
    expect(await balances(id)).toMatchObject({ pending: 36n, earned: 0n });
  });

  test('and for 200 results, however long ago it was', async () => {
    const { id } = await paid('idle');
    await age(id, 30 * DAY_MS);
    await resultsMore(id, 199);
    await turn();
    expect(await balances(id)).toMatchObject({ pending: 36n, earned: 0n });
    await resultsMore(id, 1);
    await turn();
    expect(await balances(id)).toMatchObject({ pending: 0n, earned: 36n });
  });

  test('is released once, and is then its own', async () => {
    const { id } = await paid('released');
    await age(id, DAY_MS);
    await resultsMore(id, 200);
    await Promise.all([turn(), turn(), turn()]);
    await turn();
    expect(await balances(id)).toMatchObject({ pending: 0n, earned: 36n });
  });
});

test('after all of it every unit is somewhere', async () => {
  const [sum] = await host.db.query('SELECT sum(balance)::bigint AS units FROM ledger_accounts');
  expect(sum).toEqual({ units: 0n });
  const unbalanced = await host.db.query(
    'SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0',
  );
  expect(unbalanced).toEqual([]);
});
