import type { Digest } from '@tidemill/protocol';
import { expect, test } from 'vitest';
import { answerFor, type ReadHeaders } from './range.js';

const digest = `sha256:${'ab'.repeat(32)}` as Digest;
const answer = (headers: Partial<ReadHeaders>, sizeBytes = 100) =>
  answerFor({ method: 'GET', ...headers }, digest, sizeBytes);

test.each([
  ['bytes=0-0', 0, 0],
  ['bytes=0-99', 0, 99],
  ['bytes=10-', 10, 99],
  ['bytes=10-1000', 10, 99],
  ['bytes=-1', 99, 99],
  ['bytes=-1000', 0, 99],
  ['BYTES=5-6', 5, 6],
  ['bytes= 5-6', 5, 6],
])('%s of 100 bytes is a range', (range, first, last) => {
  expect(answer({ range })).toEqual({ status: 206, range: { first, last } });
});

test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999-'])(
  '%s of 100 bytes cannot be had',
  (range) => {
    expect(answer({ range })).toEqual({ status: 416 });
  },
);

test.each(['bytes=0-', 'bytes=-5', 'bytes=0-0'])('%s of nothing cannot be had', (range) => {
  expect(answer({ range }, 0)).toEqual({ status: 416 });
});

test.each([
  'bytes=',
  'bytes=-',
  'bytes=5-4',
  'bytes=0-1,5-6',
  'items=0-1',
  '0-1',
  'bytes=a-b',
  'bytes=1.5-2',
  'bytes=+1-2',
  '',
])('%j is not one range, so everything is sent', (range) => {
  expect(answer({ range })).toEqual({ status: 200 });
});

test('a range counts for GET only', () => {
  expect(answer({ method: 'HEAD', range: 'bytes=0-1' })).toEqual({ status: 200 });
});

test.each([[`"${digest}"`], [`W/"${digest}"`], ['*'], [`"other", "${digest}"`]])(
  'who has %s gets nothing new',
  (ifNoneMatch) => {
    expect(answer({ ifNoneMatch, range: 'bytes=0-1' })).toEqual({ status: 304 });
  },
);

test.each(['"other"', digest, ''])('who has %j gets everything', (ifNoneMatch) => {
  expect(answer({ ifNoneMatch })).toEqual({ status: 200 });
});

test('a range of another version is answered with everything', () => {
  expect(answer({ range: 'bytes=0-1', ifRange: '"other"' })).toEqual({ status: 200 });
  expect(answer({ range: 'bytes=0-1', ifRange: `"${digest}"` })).toEqual({
    status: 206,
    range: { first: 0, last: 1 },
  });
});
