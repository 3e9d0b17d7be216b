import { counted, sumOf } from '@tidemill/core/settlement';
import type { WorkerId } from '@tidemill/protocol';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../config/env.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet } from '../identity/testing/wallet.js';
import { PgDb } from '../platform/db/pg-db.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { EpochViews } from './epoch-views.js';
import { Epochs } from './epochs.js';
import { JoiningService } from './joining.service.js';
import { SealingService } from './sealing.service.js';
import { SettledRows, startWithChain, type Submitter } from './testing/settled-rows.js';
import { Trees } from './trees.js';

/** As `startWithChain` sets it. */
const FLOOR = 100n;

let host: StageHost;
let rows: SettledRows;
let alice: Submitter;

beforeAll(async () => {
  host = await startWithChain([aWallet().address, aWallet().address]);
  rows = new SettledRows(host);
  alice = await rows.submitter(10n ** 12n);
});
afterAll(() => host.stop());

const join = () => host.app.get(JoiningService).turn();
const waiting = async (worker: WorkerId) => {
  const [row] = await host.db.query<{ count: bigint }>(
    'SELECT count(*) FROM charges WHERE worker_id = $1 AND epoch IS NULL',
    [worker],
  );
  return Number(row?.count);
};
const indexOf = async (worker: WorkerId) => {
  const [row] = await host.db.query<{ index: number; earned: bigint }>(
    'SELECT index, earned FROM settlement_workers WHERE worker_id = $1',
    [worker],
  );
  return row ?? null;
};
async function openTotals() {
  const { items } = await host.app.get(EpochViews).list({ state: ['open'], limit: 1 });
  return items[0]?.totals;
}
const seal = () => rows.seal();
const end = (number: bigint, how: 'final' | 'voided') =>
  host.db.transaction(async (tx) => {
    const epochs = host.app.get(Epochs);
    await epochs.posted(tx, number);
    await (how === 'final' ? epochs.final(tx, number) : epochs.voided(tx, number, 'a test'));
  });

test('a worker below the floor waits, and joins with all it has once it is worth a place', async () => {
  const worker = await rows.worker();
  await rows.charge(alice, worker, { price: FLOOR - 1n });
  await join();
  expect([await waiting(worker), await indexOf(worker)]).toEqual([1, null]);
  await rows.charge(alice, worker, { price: 1n });
  await join();
  expect([await waiting(worker), await indexOf(worker)]).toMatchObject([0, { earned: FLOOR }]);
  await rows.charge(alice, worker, { price: 1n });
  await join();
  expect(await indexOf(worker)).toMatchObject({ earned: FLOOR + 1n });
  const indexed = await host.db.query(
    `SELECT FROM trail_events WHERE kind = 'settlement.indexed' AND subject = $1`,
    [worker],
  );
  expect(indexed).toHaveLength(1);
});

test('what can still be withheld or taken back does not join, and what costs nothing moves nothing', async () => {
  const worker = await rows.worker();
  await rows.charge(alice, worker, { price: 1_000n, released: false });
  await rows.charge(alice, worker, { price: 1_000n, settled: false });
  await rows.charge(alice, worker, { price: 200n });
  await rows.charge(alice, worker, { price: 0n });
  await join();
  expect([await waiting(worker), await indexOf(worker)]).toMatchObject([2, { earned: 200n }]);
  await expect(
    host.db.query('UPDATE charges SET refunded = true WHERE worker_id = $1 AND epoch IS NOT NULL', [
      worker,
    ]),
  ).rejects.toThrow('does not change any more');
});

test('checks join as far as there are fees to pay them, in their order (G8)', async () => {
  const worker = await rows.worker();
  const before = await openTotals();
  const left = BigInt(before?.fees ?? 0) - BigInt(before?.feesGiven ?? 0);
  await rows.charge(alice, worker, { price: left + 150n, payer: 'fees' });
  await rows.charge(alice, worker, { price: 1n, payer: 'fees' });
  await join();
  expect([await waiting(worker), await indexOf(worker)]).toEqual([2, null]);
  await rows.charge(alice, worker, { price: 1_000n, fee: 150n });
  await join();
  expect([await waiting(worker), (await indexOf(worker))?.earned]).toEqual([1, left + 1_000n]);
  // The network bears what it gives back, too.
  await rows.charge(alice, worker, { price: 1_000n, fee: 100n, refunded: true });
  await join();
  expect(await waiting(worker)).toBe(2);
  await rows.charge(alice, worker, { price: 10_000n, fee: 901n });
  await join();
  expect(await waiting(worker)).toBe(0);
});

test('what a voided epoch held is in the next one (G9)', async () => {
  const worker = await rows.worker();
  await rows.charge(alice, worker, { price: 700n });
  await join();
  const voided = await seal();
  await end(voided, 'voided');
  await rows.charge(alice, worker, { price: 300n });
  await join();
  const next = await seal();
  expect(next).toBe(voided + 1n);
  const { index } = (await indexOf(worker)) ?? { index: -1 };
  const [first, second] = await Promise.all([voided, next].map((n) => host.app.get(Trees).of(n)));
  expect(first?.workers.leaves[index]?.lifetimeEarned).toBe(700n);
  expect(second?.workers.leaves[index]?.lifetimeEarned).toBe(1_000n);
  await end(next, 'final');
});

test('a job is not forgotten before its charge is in a final epoch', async () => {
  const worker = await rows.worker();
  const job = await rows.charge(alice, worker, { price: 400n });
  const erase = async () => {
    const [row] = await host.db.query<{ said: string }>('SELECT erase_job($1, $2) AS said', [
      alice.account,
      job,
    ]);
    return row?.said;
  };
  expect(await erase()).toBe('unreleased');
  await join();
  const number = await seal();
  expect(await erase()).toBe('unreleased');
  await end(number, 'final');
  expect(await erase()).toBe('erased');
});

test('a worker that was slashed for more than it earned keeps its leaf, and owes', async () => {
  const worker = await rows.worker();
  await rows.charge(alice, worker, { price: 500n });
  await join();
  await host.db.query('UPDATE settlement_workers SET slashed = 800 WHERE worker_id = $1', [worker]);
  await host.db.query(`UPDATE epochs SET slashed = slashed + 800 WHERE state = 'open'`);
  const number = await seal();
  const { index } = (await indexOf(worker)) ?? { index: -1 };
  const { workers } = await host.app.get(Trees).of(number);
  expect(workers.leaves[index]).toMatchObject({ lifetimeEarned: 500n, lifetimeSlashed: 800n });
  await end(number, 'final');
});

test('amounts up to what the ledger holds are exact, and one beyond changes nothing', async () => {
  const rich = await rows.submitter(2n ** 62n);
  const worker = await rows.worker();
  await rows.charge(rich, worker, { price: 2n ** 62n });
  await join();
  expect((await indexOf(worker))?.earned).toBe(2n ** 62n);
  await expect(rows.deposit(rich.wallet, 2n ** 63n - 1n)).rejects.toThrow('out of range');
  const number = await seal();
  const { index } = (await indexOf(worker)) ?? { index: -1 };
  expect((await host.app.get(Trees).of(number)).workers.leaves[index]?.lifetimeEarned).toBe(
    2n ** 62n,
  );
  await end(number, 'final');
});

test('two orchestrators that join and seal while charges are booked lose and double nothing (G9)', async () => {
  const { databaseUrl } = host.app.get(Config);
  const other = new PgDb(
    { url: databaseUrl, role: 'tidemill_app', max: 3, name: 'other' },
    pino({ level: 'silent' }),
  );
  const [bob, before] = [await rows.submitter(10n ** 9n), await openTotals()];
  const workers = [await rows.worker(), await rows.worker(), await rows.worker()];
  const second = new JoiningService(host.app.get(Config), other, host.app.get(TrailWriter));
  const CHARGES = 45;
  let isOver = false;
  const turning = [host.app.get(JoiningService), second].map(async (service) => {
    while (!isOver) await service.turn();
  });
  const sealing = (async () => {
    const sealed: bigint[] = [];
    while (!isOver) {
      host.clock.advance(1_000);
      const one = await host.app.get(SealingService).seal({ whenDue: false });
      // A charge may join after the trail was looked at; then the next turn seals.
      if (!one.ok) continue;
      await end(one.number, 'final');
      sealed.push(one.number);
    }
    return sealed;
  })();
  try {
    for (let i = 0; i < CHARGES; i += 1) {
      const worker = workers[i % workers.length];
      if (worker !== undefined) await rows.charge(bob, worker, { price: 200n, fee: 10n });
    }
    await expect
      .poll(async () => Promise.all(workers.map(waiting)), { timeout: 20_000 })
      .toEqual([0, 0, 0]);
  } finally {
    isOver = true;
    await Promise.all([...turning, sealing]);
    await other.close();
  }
  const earned = await Promise.all(workers.map(async (worker) => (await indexOf(worker))?.earned));
  expect(earned).toEqual([2_850n, 2_850n, 2_850n]);
  expect(BigInt((await openTotals())?.earned ?? 0) - BigInt(before?.earned ?? 0)).toBe(8_550n);
  const gaps = await host.db.query(
    'SELECT index FROM settlement_workers WHERE index >= (SELECT count(*) FROM settlement_workers)',
  );
  expect(gaps).toEqual([]);
});

const step = fc.record({
  worker: fc.nat({ max: 3 }),
  price: fc.bigInt({ min: 1n, max: 10_000n }),
  feeBps: fc.bigInt({ min: 100n, max: 2_000n }),
  sealAfter: fc.integer({ min: 0, max: 9 }).map((draw) => draw < 2),
  movesPayee: fc.boolean(),
});

test('the leaf of any epoch, kept as changes only, is what adding everything up to it gives', async () => {
  const carol = await rows.submitter(10n ** 9n);
  const workers = await Promise.all([0, 1, 2, 3].map(() => rows.worker()));
  const earned = new Map<WorkerId, bigint>();
  const history: { number: bigint; earned: Map<WorkerId, bigint>; spent: bigint }[] = [];
  let spent = 0n;
  const finish = async () => {
    await join();
    const number = await seal();
    await end(number, 'final');
    history.push({ number, earned: new Map(earned), spent });
  };
  for (const one of workers) {
    await rows.charge(carol, one, { price: FLOOR });
    earned.set(one, FLOOR);
    spent += FLOOR;
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
      for (const { worker, price, feeBps, sealAfter, movesPayee } of steps) {
        const id = workers[worker];
        if (id === undefined) continue;
        const fee = (price * feeBps) / 10_000n;
        await rows.charge(carol, id, { price, fee });
        const counts = sumOf([counted({ price, fee, payer: 'submitter', refunded: false })]);
        earned.set(id, (earned.get(id) ?? 0n) + counts.earned);
        spent += counts.spent;
        if (movesPayee)
          await host.db.query('UPDATE workers SET payout = $2 WHERE id = $1', [
            id,
            aWallet().address,
          ]);
        if (sealAfter) await finish();
      }
      await finish();
    }),
    { numRuns: 3, endOnFailure: true },
  );
  const [place] = await host.db.query<{ index: number }>(
    'SELECT index FROM settlement_submitters WHERE account_id = $1',
    [carol.account],
  );
  const places = await Promise.all(workers.map(async (id) => (await indexOf(id))?.index ?? -1));
  for (const then of history) {
    const trees = await host.app.get(Trees).of(then.number);
    const leaves = places.map((index) => trees.workers.leaves[index]?.lifetimeEarned);
    expect(leaves).toEqual(workers.map((id) => then.earned.get(id)));
    expect(trees.submitters.leaves[place?.index ?? -1]?.lifetimeSpent).toBe(then.spent);
  }
  expect(history.length).toBeGreaterThan(1);
});
