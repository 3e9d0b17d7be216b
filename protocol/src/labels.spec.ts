import { expect, test } from 'vitest';
import { Labels, MAX_LABELS, parseLabel } from './labels.js';

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, 'x']));

test('labels are short texts of plain characters, and few', () => {
  expect(Labels.safeParse({ team: 'vision', 'acme.com/run': 'Run:7@a', empty: '' }).success).toBe(
    true,
  );
  expect(Labels.safeParse(many(MAX_LABELS)).success).toBe(true);
  for (const wrong of [
    many(MAX_LABELS + 1),
    { Team: 'x' },
    { '': 'x' },
    { team: 'two words' },
    { team: 'x'.repeat(64) },
    { ['k'.repeat(64)]: 'x' },
    { team: 7 },
  ])
    expect(Labels.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
});

test('a label in a query is a key and a value', () => {
  expect(parseLabel('team=vision')).toEqual(['team', 'vision']);
  expect(parseLabel('team=')).toEqual(['team', '']);
  for (const wrong of ['team', '=x', 'a=b=c', 'Team=x', 'team=two words'])
    expect(parseLabel(wrong), wrong).toBeNull();
});
