import { makeId } from '@tidemill/protocol';
import { expect, test } from 'vitest';
import { Absences } from './absences.js';

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2030, 0, 1);
const clock = { nowMs: () => NOW, monotonicMs: () => 0 };
const absences = new Absences({ keepJobsMs: 90 * DAY_MS }, clock);
const said = (madeMs: number, keptMs?: number) =>
  absences.of(makeId('job', madeMs, new Uint8Array(10)), 'no', keptMs).code;

test('an id from before what is kept is one of something forgotten, a younger one is of nothing', () => {
  expect(said(NOW - 91 * DAY_MS)).toBe('FORGOTTEN');
  expect(said(NOW - 89 * DAY_MS)).toBe('NOT_FOUND');
  expect(said(NOW - 89 * DAY_MS, 30 * DAY_MS)).toBe('FORGOTTEN');
  expect(said(NOW + DAY_MS)).toBe('NOT_FOUND');
});

test('an id from before there were any networks never was one', () => {
  expect(said(0)).toBe('NOT_FOUND');
  expect(said(Date.UTC(2025, 11, 31))).toBe('NOT_FOUND');
});
