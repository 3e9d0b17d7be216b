import { describe, expect, test } from 'vitest';
import { CLOSE, ERRORS, Problem, type ErrorCode } from './errors.js';

const errors = Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][];

test.each(errors)(
  '%s has a status, a title and a next step in whole sentences',
  (code, { status, title, next }) => {
    expect(code).toMatch(/^[A-Z][A-Z_]*[A-Z]$/);
    expect(status >= 400 && status < 600).toBe(true);
    expect(title).toMatch(/^[A-Z][^\n]*[^.]$/);
    expect(next).toMatch(/^[A-Z][^\n]*\.$/);
  },
);

test('no two codes share a title, so what people read tells them apart', () => {
  expect(new Set(errors.map(([, { title }]) => title)).size).toBe(errors.length);
});

test('a code a client should wait for is 429 or 503', () => {
  const waiting = errors
    .filter(([, { next }]) => next.includes('Retry-After'))
    .map(([, { status }]) => status);
  expect(waiting.length).toBeGreaterThan(0);
  expect(waiting.every((status) => status === 429 || status === 503)).toBe(true);
});

test('a problem document takes every code and no other', () => {
  const problem = { type: 'urn:x', title: 't', status: 400, detail: 'd', next: 'n' };
  for (const [code] of errors) expect(Problem.safeParse({ ...problem, code }).success).toBe(true);
  expect(Problem.safeParse({ ...problem, code: 'OOPS' }).success).toBe(false);
});

describe('close codes', () => {
  const codes = Object.values(CLOSE);

  test('are told apart by number and by reason', () => {
    expect(new Set(codes.map(({ code }) => code)).size).toBe(codes.length);
    expect(new Set(codes.map(({ reason }) => reason)).size).toBe(codes.length);
  });

  test.each(codes)('$reason may be sent', ({ code, reason }) => {
    expect(code === 1001 || (code >= 4000 && code <= 4999)).toBe(true);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });
});
