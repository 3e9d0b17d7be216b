import { MAX_MONEY } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { billableMs, defaultMaxAsk, feeOf, holdOf, priceOf } from './price.js';

const milli = fc.integer({ min: 1, max: 64_000 });
const ask = fc.bigInt({ min: 0n, max: 10n ** 9n });
const ms = fc.integer({ min: 0, max: 30 * 86_400_000 });
const cap = fc.bigInt({ min: 0n, max: MAX_MONEY });
const bps = fc.integer({ min: 0, max: 10_000 });
const needs = fc.oneof(
  milli.map((gpuMilli) => ({ gpuMilli, cpuMilli: 9_999 })),
  milli.map((cpuMilli) => ({ gpuMilli: 0, cpuMilli })),
);
const asks = (hour: bigint) => ({ gpuHour: hour, cpuHour: hour });
const runs = { numRuns: 500 };

test('a price never falls when the time, the ask or the share grows', () => {
  fc.assert(
    fc.property(needs, ask, ask, ms, ms, cap, (what, a, b, s, t, most) => {
      const [cheap, dear] = a < b ? [a, b] : [b, a];
      const [short, long] = s < t ? [s, t] : [t, s];
      expect(priceOf(what, asks(cheap), long, most) <= priceOf(what, asks(dear), long, most)).toBe(
        true,
      );
      expect(priceOf(what, asks(dear), short, most) <= priceOf(what, asks(dear), long, most)).toBe(
        true,
      );
      const more = {
        ...what,
        gpuMilli: what.gpuMilli === 0 ? 0 : what.gpuMilli + 1,
        cpuMilli: what.cpuMilli + 1,
      };
      expect(priceOf(what, asks(dear), long, most) <= priceOf(more, asks(dear), long, most)).toBe(
        true,
      );
    }),
    runs,
  );
});

test('a price is rounded down and capped', () => {
  fc.assert(
    fc.property(needs, ask, ms, cap, (what, hour, time, most) => {
      const price = priceOf(what, asks(hour), time, most);
      const exact = BigInt(what.gpuMilli || what.cpuMilli) * hour * BigInt(time);
      const unit = 3_600_000_000n;
      expect(price <= most && price * unit <= exact).toBe(true);
      if (price < most) expect((price + 1n) * unit > exact).toBe(true);
    }),
    runs,
  );
});

test('many short attempts never cost more than one that is as long', () => {
  fc.assert(
    fc.property(needs, ask, fc.array(fc.nat(3_600_000), { maxLength: 20 }), (what, hour, times) => {
      const price = (time: number) => priceOf(what, asks(hour), time, MAX_MONEY);
      const parts = times.reduce((sum, time) => sum + price(time), 0n);
      expect(parts <= price(times.reduce((sum, time) => sum + time, 0))).toBe(true);
    }),
    runs,
  );
});

test('a hold covers the price of every execution within its duration and ask', () => {
  const executions = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(needs, ask, ask, ms, ms, executions, (what, a, b, s, t, copies) => {
      const [paid, most] = a < b ? [a, b] : [b, a];
      const [took, may] = s < t ? [s, t] : [t, s];
      const hold = holdOf(what, most, may, copies);
      expect(priceOf(what, asks(paid), took, MAX_MONEY) * BigInt(copies) <= hold).toBe(true);
    }),
    runs,
  );
});

test('a hold never grows beyond what the ledger takes', () => {
  expect(holdOf({ gpuMilli: 64_000, cpuMilli: 0 }, MAX_MONEY, 30 * 86_400_000, 5)).toBe(MAX_MONEY);
});

test('the fee and the rest are the price, and neither is negative', () => {
  fc.assert(
    fc.property(cap, bps, (price, feeBps) => {
      const fee = feeOf(price, feeBps);
      expect(fee >= 0n && fee <= price).toBe(true);
      expect(fee * 10_000n <= price * BigInt(feeBps)).toBe(true);
      expect((fee + 1n) * 10_000n > price * BigInt(feeBps)).toBe(true);
    }),
    runs,
  );
});

test('no meter, clock or duration alone makes a bill longer', () => {
  fc.assert(
    fc.property(
      ms,
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      ms,
      (meter, observed, duration) => {
        const billed = billableMs(meter, observed, duration);
        expect(Number.isInteger(billed)).toBe(true);
        expect(billed).toBe(Math.min(meter, Math.floor(observed), duration));
      },
    ),
    runs,
  );
});

test('the default limit of an ask lies between the asks, whatever their order', () => {
  fc.assert(
    fc.property(fc.array(ask, { minLength: 1, maxLength: 9 }), (all) => {
      const limit = defaultMaxAsk(all) ?? -1n;
      expect(defaultMaxAsk([...all].reverse())).toBe(limit);
      const below = all.filter((one) => (one * 3n) / 2n <= limit).length;
      expect(below * 2).toBeGreaterThanOrEqual(all.length);
      expect(all.some((one) => (one * 3n) / 2n === limit)).toBe(true);
    }),
    runs,
  );
});
