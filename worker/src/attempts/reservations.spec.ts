import { expect, test } from 'vitest';
import { NO_NEEDS } from '../testing/builders.js';
import { Reservations } from './reservations.js';

const lent = { gpuMilli: 1_000, vramMib: 100, cpuMilli: 1_000, memoryMib: 1_000, diskMib: 1_000 };

test('what is taken is not there for others until it is given back', () => {
  const reservations = new Reservations(lent, 8);
  const needs = { ...NO_NEEDS, cpuMilli: 600 };
  expect(reservations.take(needs)).toBe(true);
  expect(reservations.take(needs)).toBe(false);
  expect(reservations.free.cpuMilli).toBe(400);
  reservations.release(needs);
  expect(reservations.take(needs)).toBe(true);
});

test('a refused take takes nothing', () => {
  const reservations = new Reservations(lent, 8);
  expect(reservations.take({ ...NO_NEEDS, cpuMilli: 1, memoryMib: 1_001 })).toBe(false);
  expect(reservations.free).toEqual(lent);
  expect(reservations.freeSlots).toBe(8);
});

test('slots bound attempts that need nothing', () => {
  const reservations = new Reservations(lent, 2);
  expect([1, 2, 3].map(() => reservations.take(NO_NEEDS))).toEqual([true, true, false]);
});

test('what never fits is told apart from what does not fit now', () => {
  const reservations = new Reservations(lent, 1);
  reservations.take(lent);
  expect(reservations.couldFit(lent)).toBe(true);
  expect(reservations.couldFit({ ...lent, vramMib: 101 })).toBe(false);
});
