import { encodeBase58 } from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import type { EpochEvidence } from './evidence.js';
import type { ObjectionCode } from './objection.js';
import { chained, EpochWorld, type Lie } from './testing/epoch-world.js';

/** A network that has settled one epoch and has a second one to settle. */
function aWorld(): EpochWorld {
  const world = new EpochWorld();
  world.work({ worker: 0, submitter: 0, price: 200n, fee: 20n });
  world.work({ worker: 1, submitter: 1, price: 100n, fee: 10n });
  expect(world.judge()).toMatchObject({ ok: true });
  world.paid = [180n, 90n];
  world.work({ worker: 0, submitter: 0, price: 100n, fee: 10n });
  world.work({ worker: 2, submitter: 1, price: 50n, fee: 5n });
  world.work({ worker: 1, submitter: 1, price: 30n, payer: 'fees' });
  return world;
}

const code = (world: EpochWorld, lie: Lie): string => {
  const result = world.judge(lie);
  return result.ok ? 'signed' : result.objection.code;
};

const charge = (of: EpochEvidence, at = 0) => {
  const found = of.charges[at];
  if (found === undefined) throw new RangeError(`no charge ${at}`);
  return found;
};

/** The first charge said otherwise, with the leaf of its worker made to fit. */
const withCharge = (change: Partial<EpochEvidence['charges'][number]>, earnedMore = 0n): Lie => ({
  isConsistent: true,
  evidence: (of) => ({
    ...of,
    charges: of.charges.with(0, { ...charge(of), ...change }),
    workers: of.workers.with(0, {
      ...leafOf(of),
      lifetimeEarned: leafOf(of).lifetimeEarned + earnedMore,
    }),
  }),
});

const leafOf = (of: EpochEvidence, at = 0) => {
  const found = of.workers[at];
  if (found === undefined) throw new RangeError(`no worker ${at}`);
  return found;
};

const submitterOf = (of: EpochEvidence, at = 0) => {
  const found = of.submitters[at];
  if (found === undefined) throw new RangeError(`no submitter ${at}`);
  return found;
};

const withWorker = (at: number, change: Partial<EpochEvidence['workers'][number]>): Lie => ({
  isConsistent: true,
  evidence: (of) => ({ ...of, workers: of.workers.with(at, { ...leafOf(of, at), ...change }) }),
});

const withSubmitter = (at: number, change: Partial<EpochEvidence['submitters'][number]>): Lie => ({
  isConsistent: true,
  evidence: (of) => ({
    ...of,
    submitters: of.submitters.with(at, { ...submitterOf(of, at), ...change }),
  }),
});

test('an honest epoch is signed, and so is the one after it', () => {
  const world = aWorld();
  expect(world.judge()).toMatchObject({ ok: true });
  world.work({ worker: 2, submitter: 0, price: 9n, refunded: true });
  world.work({ worker: 0, submitter: 0, price: 7n });
  expect(world.judge()).toMatchObject({ ok: true });
  expect(world.memory.totals).toMatchObject({ spent: 457n, feesGiven: 39n });
});

test('an address changes a day after its owner ordered it', () => {
  const world = aWorld();
  world.changePayout(1, world.newKey().address);
  expect(world.judge()).toMatchObject({ ok: true });
});

/** A charge that is open when an epoch is sealed, and of which nothing is held any more. */
function withOpen(world: EpochWorld): { attempt: string; lie: Lie } {
  const { attempt } = world.work({ worker: 0, submitter: 0, price: 40n });
  const evidence = (of: EpochEvidence) => ({
    ...of,
    charges: of.charges.filter((one) => one.attempt !== attempt),
    workers: of.workers.with(0, {
      ...leafOf(of),
      lifetimeEarned: leafOf(of).lifetimeEarned - 40n,
    }),
    submitters: of.submitters.with(0, {
      ...submitterOf(of),
      lifetimeSpent: submitterOf(of).lifetimeSpent - 40n,
    }),
  });
  return { attempt, lie: { isConsistent: true, evidence } };
}

test('what is refunded while an epoch is sealed need not be held, if the trail says so for good', () => {
  for (const isKept of [true, false]) {
    const world = aWorld();
    const { attempt, lie } = withOpen(world);
    expect(code(world, { ...lie, refundedSince: [attempt] })).toBe('signed');
    if (isKept) world.write('ledger.refunded', attempt, { price: '40' });
    world.work({ worker: 1, submitter: 1, price: 3n });
    expect(code(world, {})).toBe(isKept ? 'signed' : 'TRAIL_FORKED');
  }
});

describe('a co-signer refuses (G17)', () => {
  const forgeries: [string, ObjectionCode, Lie | ((world: EpochWorld) => Lie)][] = [
    [
      'a charge that nobody booked',
      'CHARGE_NOT_BOOKED',
      (world) => {
        const invented = world.evidence().charges[0];
        if (invented === undefined) throw new RangeError('no charge');
        const attempt = invented.attempt.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
        const receipt = world.receipt(0, invented.job, attempt);
        return {
          isConsistent: true,
          evidence: (of) => ({
            ...of,
            charges: [...of.charges, { ...invented, attempt, receipt }],
          }),
        };
      },
    ],
    [
      'a charge that stands twice',
      'CHARGE_TWICE',
      {
        isConsistent: true,
        evidence: (of) => ({ ...of, charges: [...of.charges, charge(of)] }),
      },
    ],
    [
      'a charge that was in the epoch before',
      'CHARGE_TWICE',
      (world) => {
        const old = world.work({ worker: 0, submitter: 0, price: 1n });
        expect(world.judge()).toMatchObject({ ok: true });
        return {
          isConsistent: true,
          evidence: (of) => ({ ...of, charges: [...of.charges, old] }),
        };
      },
    ],
    ['another price', 'CHARGE_CONTRADICTS', withCharge({ price: 101n }, 1n)],
    ['another fee', 'CHARGE_CONTRADICTS', withCharge({ fee: 9n }, 1n)],
    ['another payer', 'CHARGE_CONTRADICTS', withCharge({ payer: 'fees', fee: 0n }, 10n)],
    ['a refund that did not happen', 'CHARGE_CONTRADICTS', withCharge({ refunded: true })],
    [
      'a fee above what the network may take, booked as it is',
      'FEE',
      (world) => {
        world.work({ worker: 0, submitter: 0, price: 100n, fee: 11n });
        return {};
      },
    ],
    [
      'a charge beyond what was held for its job',
      'HOLD',
      (world) => {
        const first = world.work({ worker: 0, submitter: 0, price: 10n });
        const attempt = first.attempt.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
        const receipt = world.receipt(0, first.job, attempt);
        const booked = { attempt, job: first.job, worker: first.worker, price: '1', fee: '0' };
        world.write('verdict.given', attempt, { verdict: 'accepted', payer: 'submitter' });
        world.write('ledger.booked', attempt, { ...booked, payer: 'submitter' });
        return {
          evidence: (of) => ({
            ...of,
            charges: [...of.charges, { ...first, attempt, price: 1n, receipt }],
          }),
        };
      },
    ],
    [
      'a charge to a result that nobody accepted',
      'CHARGE_NOT_DUE',
      {
        isConsistent: true,
        events: (all) =>
          chained(
            all.map((event) =>
              event.kind === 'verdict.given' && event.place > 20
                ? { ...event, body: event.body.replace('accepted', 'rejected') }
                : event,
            ),
          ),
      },
    ],
    [
      'a charge to another wallet',
      'SUBMITTER',
      (world) => withCharge({ submitter: world.wallet(1) }),
    ],
    [
      'a receipt of another attempt',
      'RECEIPT',
      (world) => ({
        evidence: (of) => ({
          ...of,
          charges: of.charges.with(0, {
            ...charge(of),
            receipt: world.receipt(0, charge(of).job, charge(of, 1).attempt),
          }),
        }),
      }),
    ],
    [
      'a receipt that the trail does not name',
      'RECEIPT',
      (world) => {
        const { job, attempt } = charge(world.evidence());
        return withCharge({ receipt: world.receipt(0, job, attempt) });
      },
    ],
    [
      'a receipt that a stranger signed',
      'RECEIPT',
      (world) => {
        const { receipt } = charge(world.evidence());
        return withCharge({ receipt: { ...receipt, publicKey: world.newKey().address } });
      },
    ],
    ['another payee', 'PAYEE', (world) => withWorker(1, { payee: world.newKey().address })],
    [
      'a payee whose owner did not sign the change',
      'TRAIL_MALFORMED',
      (world) => {
        world.changePayout(1, world.newKey().address, undefined, world.newKey());
        return {};
      },
    ],
    [
      'a payee that changes within the day',
      'TRAIL_MALFORMED',
      (world) => {
        world.changePayout(1, world.newKey().address, 3_600_000);
        return {};
      },
    ],
    [
      'a worker without its leaf',
      'LEAF_MISSING',
      { isConsistent: true, evidence: (of) => ({ ...of, workers: of.workers.slice(0, 2) }) },
    ],
    [
      'a submitter without its leaf',
      'LEAF_MISSING',
      { isConsistent: true, evidence: (of) => ({ ...of, submitters: of.submitters.slice(0, 1) }) },
    ],
    [
      'a deposit without a leaf',
      'LEAF_MISSING',
      (world) => {
        world.deposit();
        return {
          isConsistent: true,
          evidence: (of) => ({ ...of, submitters: of.submitters.slice(0, 2) }),
        };
      },
    ],
    [
      'two workers that change places',
      'LEAF_MISSING',
      {
        isConsistent: true,
        evidence: (of) => ({
          ...of,
          workers: of.workers
            .with(0, { ...leafOf(of, 1), index: 0 })
            .with(1, { ...leafOf(of, 0), index: 1 }),
        }),
      },
    ],
    ['more than was earned', 'LEAF_CONTRADICTS', withWorker(1, { lifetimeEarned: 121n })],
    ['less than was earned', 'LEAF_CONTRADICTS', withWorker(1, { lifetimeEarned: 119n })],
    ['a slash for nothing', 'LEAF_CONTRADICTS', withWorker(1, { lifetimeSlashed: 1n })],
    ['more than was spent', 'LEAF_CONTRADICTS', withSubmitter(0, { lifetimeSpent: 301n })],
    ['less than was spent', 'LEAF_CONTRADICTS', withSubmitter(0, { lifetimeSpent: 299n })],
    ['a refund out of nothing', 'LEAF_CONTRADICTS', withSubmitter(0, { lifetimeRefunded: 1n })],
    ['more held than there is', 'HELD', withSubmitter(0, { held: 701n })],
    ['nothing held for what is charged and not settled', 'HELD', (world) => withOpen(world).lie],
    [
      'a leaf below what was paid',
      'PAID',
      (world) => {
        world.paid = [180n, 90n, 46n];
        return {};
      },
    ],
    [
      'a lower total',
      'TOTALS',
      { statement: (of) => ({ ...of, totals: { ...of.totals, earned: of.totals.earned - 1n } }) },
    ],
    [
      'dust out of nothing',
      'TOTALS',
      { statement: (of) => ({ ...of, totals: { ...of.totals, dust: 1n } }) },
    ],
    [
      'fees that nobody has paid yet',
      'TOTALS',
      (world) => {
        world.work({ worker: 0, submitter: 0, price: 500n, payer: 'fees' });
        return {};
      },
    ],
    [
      'a root of other leaves',
      'ROOT',
      { statement: (of) => ({ ...of, workerRoot: of.submitterRoot }) },
    ],
    ['a deeper tree', 'ROOT', { statement: (of) => ({ ...of, workerDepth: 3 }) }],
    [
      'a trail that is older than the one seen',
      'TRAIL_REWOUND',
      { statement: (of) => ({ ...of, trailSize: 5n }) },
    ],
    [
      'a trail that ends before the statement says',
      'TRAIL_REWOUND',
      { events: (all) => all.slice(0, -1) },
    ],
    [
      'a trail that was changed where it had been read already',
      'TRAIL_FORKED',
      {
        isConsistent: true,
        events: (all) => chained(all.with(0, { ...(all[0] as (typeof all)[number]), atMs: 1 })),
      },
    ],
    [
      'a root that is not the trail’s',
      'TRAIL_FORKED',
      { statement: (of) => ({ ...of, trailRoot: of.workerRoot }) },
    ],
    [
      'a charge that the trail books again after it was settled',
      'TRAIL_MALFORMED',
      (world) => {
        const old = world.work({ worker: 0, submitter: 0, price: 1n });
        expect(world.judge()).toMatchObject({ ok: true });
        world.write('ledger.booked', old.attempt, {
          ...{ job: old.job, worker: old.worker, price: '1', fee: '0', payer: 'submitter' },
        });
        return { evidence: (of) => ({ ...of, charges: [old] }) };
      },
    ],
    [
      'a refund of what is settled',
      'TRAIL_MALFORMED',
      (world) => {
        const old = world.work({ worker: 0, submitter: 0, price: 1n });
        expect(world.judge()).toMatchObject({ ok: true });
        world.write('ledger.refunded', old.attempt, { price: '1' });
        return {};
      },
    ],
    ['an epoch that is not the next', 'WRONG_EPOCH', { statement: (of) => ({ ...of, epoch: 4n }) }],
    [
      'a second statement for an epoch that it has signed',
      'TWO_STATEMENTS',
      { statement: (of) => ({ ...of, epoch: 1n }) },
    ],
    [
      'another network',
      'WRONG_NETWORK',
      { statement: (of) => ({ ...of, network: new Uint8Array(32) }) },
    ],
    [
      'another program',
      'WRONG_NETWORK',
      { statement: (of) => ({ ...of, program: new Uint8Array(32) }) },
    ],
    [
      'a slot that is not final',
      'SEALED_SLOT',
      { statement: (of) => ({ ...of, sealedSlot: 1_001n }) },
    ],
    [
      'a registry that it cannot check',
      'REGISTRY',
      { statement: (of) => ({ ...of, registryRoot: of.network }) },
    ],
  ];

  test.each(forgeries)('%s: %s', (_, expected, lie) => {
    const world = aWorld();
    const told = typeof lie === 'function' ? lie(world) : lie;
    const before = world.memory;
    expect(code(world, told)).toBe(expected);
    // What was refused has taught it nothing: the honest epoch is still what it would sign.
    expect(world.memory).toBe(before);
  });

  test('every lie about an address, whatever it is', () => {
    const world = aWorld();
    for (const payee of ['', 'not an address', encodeBase58(new Uint8Array(31))]) {
      const evidence = (of: EpochEvidence) => ({
        ...of,
        workers: of.workers.with(0, { ...leafOf(of), payee }),
      });
      expect(code(world, { evidence })).toBe('PAYEE');
    }
  });
});
