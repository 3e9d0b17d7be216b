import { expect, test } from 'vitest';
import { agreeOnVersion, PROTOCOL_VERSIONS } from './version.js';

test.each([
  [[1], 1],
  [[2], 2],
  [[3, 2, 1], 2],
  [[], null],
  [[3], null],
])('with a peer that speaks %j version %s is agreed on', (theirs, agreed) => {
  expect(agreeOnVersion(theirs)).toBe(agreed);
});

test('versions are listed newest first, so the highest common one is found first', () => {
  expect([...PROTOCOL_VERSIONS].sort((a, b) => b - a)).toEqual([...PROTOCOL_VERSIONS]);
});
