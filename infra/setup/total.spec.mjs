import { expect, test } from 'vitest';
import { figuresTable, sumOf, timeTable, totalLine } from './total.mjs';

const rows = [
  { name: 'lint', ms: 12_340, totals: { passed: 1, failed: 0, skipped: 0 } },
  { name: 'unit tests', ms: 900, totals: { passed: 41, failed: 2, skipped: 3 } },
];

test('a run ends with one plain line over all its steps', () => {
  expect(totalLine(sumOf(rows))).toBe('42 passed, 2 failed, 3 skipped');
});

test('nothing is said of skipped tests when there are none', () => {
  expect(totalLine(sumOf(rows.slice(0, 1)))).toBe('1 passed, 0 failed');
});

test('each step stands in the table with its time', () => {
  expect(timeTable(rows)).toEqual([
    'lint          12.3 s  1 passed, 0 failed',
    'unit tests     0.9 s  41 passed, 2 failed, 3 skipped',
  ]);
});

test('what the steps counted stands together, added up, in the order of the test plan', () => {
  const counted = (...figures) => ({ totals: { figures } });
  const rows = [
    counted({ id: 'T10', text: '7 sequences' }, { id: 'T9', text: '9000 mutations' }),
    { totals: {} },
    counted({ id: 'T9', text: '1500 mutations' }, { id: 'T9', text: 'all refused' }),
  ];
  expect(figuresTable(rows)).toEqual(['T9   10,500 mutations; all refused', 'T10  7 sequences']);
});
