import { describe, expect, test } from 'vitest';
import { DEFAULT_RETRY, mayRepeat, type Tried, waitBeforeRetry } from './retry.js';

const now = { random: 0.5, nowMs: Date.parse('2030-01-01T00:00:00Z') };
const answer = (status: number, retryAfter: string | null = null): Tried => ({
  kind: 'answer',
  status,
  retryAfter,
});
const wait = (tried: Tried, tries = 1) => waitBeforeRetry(tried, tries, DEFAULT_RETRY, now);

describe('what may be sent twice', () => {
  const request = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Request(`http://tidemill.test${path}`, { method, headers });

  test('a POST is not repeated unless it carries an Idempotency-Key', () => {
    expect(mayRepeat(request('POST', '/v1/jobs'))).toBe(false);
    expect(mayRepeat(request('POST', '/v1/keys'))).toBe(false);
    expect(mayRepeat(request('POST', '/v1/jobs', { 'idempotency-key': 'a' }))).toBe(true);
  });

  test('reads, whole puts, plans and cancels are repeated, pieces of an upload are not', () => {
    expect(mayRepeat(request('GET', '/v1/jobs'))).toBe(true);
    expect(mayRepeat(request('PUT', '/v1/artifacts/sha256:00'))).toBe(true);
    expect(mayRepeat(request('POST', '/v1/jobs/plan'))).toBe(true);
    expect(mayRepeat(request('POST', '/v1/jobs/job_1/cancel'))).toBe(true);
    expect(mayRepeat(request('PATCH', '/v1/artifacts/uploads/upl_1'))).toBe(false);
  });
});

describe('how long to wait', () => {
  test('only 429, 503 and a missing answer are tried again', () => {
    for (const status of [400, 401, 402, 404, 409, 422, 500])
      expect(wait(answer(status))).toBeNull();
    expect(wait(answer(429))).toBe(250);
    expect(wait(answer(503))).toBe(250);
    expect(wait({ kind: 'no-connection' })).toBe(250);
  });

  test('the wait doubles and stops after the last try', () => {
    const waits = [1, 2, 3, 4, 5].map((tries) => wait(answer(503), tries));
    expect(waits).toEqual([250, 500, 1000, 2000, null]);
  });

  test('Retry-After is obeyed in both of its forms', () => {
    expect(wait(answer(429, '3'))).toBe(3125);
    expect(wait(answer(429, 'Tue, 01 Jan 2030 00:00:02 GMT'))).toBe(2125);
  });

  test('a Retry-After that is too long is handed to the caller', () => {
    expect(wait(answer(503, '3600'))).toBeNull();
  });
});
