import { describe, expect, it } from 'vitest';
import { median, quantile, rounded } from './statistics.js';

describe('quantile', () => {
  it('is the middle of an odd and the mean of the two middle ones of an even number', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });

  it('takes the ends at 0 and 1 and a proportion between neighbours', () => {
    expect(quantile([3, 1, 2], 0)).toBe(1);
    expect(quantile([3, 1, 2], 1)).toBe(3);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('has no answer for no values', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('rounded', () => {
  it('keeps significant digits, large or small', () => {
    expect(rounded(12_345.678)).toBe(12_350);
    expect(rounded(0.0123456, 2)).toBe(0.012);
  });
});
