import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochOrder, shuffleInPlace, splitRows, validationRows } from './order.js';
import { dropoutSeed, initializerSeed, seedBytes } from './seeds.js';

describe('the order of the data', () => {
  test('every row is used exactly once, in training or in validation', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.boolean(),
        fc.nat(),
        (rows, fraction, shuffle, seed) => {
          const { train, validation } = splitRows(rows, fraction, shuffle, seed);
          expect(validation.length).toBe(validationRows(rows, fraction));
          expect(train.length).toBeGreaterThan(0);
          const all = [...epochOrder(train, 3, shuffle, seed), ...validation].sort((a, b) => a - b);
          expect(all).toEqual(Array.from({ length: rows }, (_, i) => i));
        },
      ),
    );
  });

  test('is fixed for good: this is the order of twelve rows for seed 7', () => {
    const { train, validation } = splitRows(12, 0.25, true, 7);
    expect({ train: [...train], validation: [...validation] }).toEqual({
      train: [2, 4, 6, 0, 3, 5, 1, 9, 10],
      validation: [7, 8, 11],
    });
    expect([...epochOrder(train, 0, true, 7)]).toEqual([3, 2, 9, 4, 6, 5, 1, 0, 10]);
    expect([...epochOrder(train, 1, true, 7)]).toEqual([5, 10, 2, 4, 9, 6, 3, 1, 0]);
  });

  test('without shuffling the last rows are held back and the rest keep their order', () => {
    const { train, validation } = splitRows(10, 0.2, false, 7);
    expect([[...epochOrder(train, 4, false, 7)], [...validation]]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9],
    ]);
  });

  test('places are drawn evenly', () => {
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 5_000; i++) {
      const order = Uint32Array.of(0, 1, 2, 3, 4);
      shuffleInPlace(order, seedBytes('order', 1, i));
      counts[order.indexOf(0)] = (counts[order.indexOf(0)] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('seeds', () => {
  test('differ by layer, weight, step, purpose and job, and are never 0', () => {
    const seeds = [
      initializerSeed(7, 'a', 'kernel'),
      initializerSeed(7, 'a', 'bias'),
      initializerSeed(7, 'b', 'kernel'),
      initializerSeed(8, 'a', 'kernel'),
      dropoutSeed(7, 'a', 0),
      dropoutSeed(7, 'a', 1),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.every((seed) => seed > 0 && seed <= 0x7fffffff)).toBe(true);
  });

  test('two lists of parts never give one seed', () => {
    expect(seedBytes('order', 1, 'a', 'b')).not.toEqual(seedBytes('order', 1, 'a","b'));
    expect(seedBytes('order', 1, 1)).not.toEqual(seedBytes('order', 1, '1'));
  });
});
