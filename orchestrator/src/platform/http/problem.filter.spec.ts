import { HttpException, type ArgumentsHost } from '@nestjs/common';
import { ERRORS, Problem } from '@tidemill/protocol';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DatabaseUnavailableError } from '../db/db.js';
import { ProblemError } from './problem.js';
import { ProblemFilter } from './problem.filter.js';

/** What a client gets for something that was thrown, and what is logged. */
function answerTo(cause: unknown, { headersSent = false } = {}) {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const answer = {
    headers: {} as Record<string, string>,
    status: 0,
    type: '',
    text: '',
    isCut: false,
  };
  const response = {
    headersSent,
    destroy: () => (answer.isCut = true),
    setHeader: (name: string, value: string) => (answer.headers[name] = value),
    status: (status: number) => {
      answer.status = status;
      return response;
    },
    type: (type: string) => {
      answer.type = type;
      return response;
    },
    send: (text: string) => (answer.text = text),
  };
  const host = {
    switchToHttp: () => ({
      getRequest: () => ({ method: 'GET', path: '/v1/jobs' }),
      getResponse: () => response,
    }),
  } as unknown as ArgumentsHost; // what the filter asks of it
  new ProblemFilter(log).catch(cause, host);
  return {
    ...answer,
    body: answer.text === '' ? null : Problem.parse(JSON.parse(answer.text)),
    logged,
  };
}

test('a refusal becomes a problem document with its status, where it was and what to do next', () => {
  const { status, type, body, logged } = answerTo(
    new ProblemError('VALIDATION_FAILED', 'body.kind: no', {
      errors: [{ path: 'body.kind', message: 'no' }],
    }),
  );
  expect([status, type]).toEqual([422, 'application/problem+json']);
  expect(body).toEqual({
    type: 'urn:tidemill:error:VALIDATION_FAILED',
    ...ERRORS.VALIDATION_FAILED,
    code: 'VALIDATION_FAILED',
    detail: 'body.kind: no',
    instance: '/v1/jobs',
    errors: [{ path: 'body.kind', message: 'no' }],
  });
  expect(logged).toEqual([]);
});

test('what a client should wait for is a header and not a member', () => {
  const { headers, body } = answerTo(new ProblemError('QUEUE_FULL', 'full', { retryAfterS: 10 }));
  expect(headers['Retry-After']).toBe('10');
  expect(body).not.toHaveProperty('retryAfterS');
});

test('who is not known is asked for a token', () => {
  const { status, headers } = answerTo(new ProblemError('UNAUTHENTICATED', 'who?'));
  expect([status, headers['WWW-Authenticate']]).toEqual([401, 'Bearer']);
});

test('without a database a client is asked to try again', () => {
  const { status, headers, body, logged } = answerTo(
    new DatabaseUnavailableError('the database does not answer', { cause: new Error('10.0.0.7') }),
  );
  expect([status, headers['Retry-After'], body?.code]).toEqual([503, '2', 'UNAVAILABLE']);
  expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  expect(logged).toHaveLength(1);
});

test.each([
  [404, 'NOT_FOUND', 404],
  [413, 'JSON_TOO_LARGE', 413],
  [400, 'VALIDATION_FAILED', 422],
  [503, 'INTERNAL', 500],
])('a framework’s own %i is told as %s', (thrown, code, status) => {
  const answer = answerTo(new HttpException('from the framework', thrown));
  expect([answer.body?.code, answer.status]).toEqual([code, status]);
});

test.each([[new Error('password is swordfish')], ['swordfish'], [null], [{ code: 'swordfish' }]])(
  'what was not foreseen says nothing of its inside: %s',
  (cause) => {
    const { status, text, body, logged } = answerTo(cause);
    expect([status, body?.code]).toEqual([500, 'INTERNAL']);
    expect(text).not.toContain('swordfish');
    expect(logged).toHaveLength(1);
  },
);

test('an answer that has begun is cut off, so that nobody takes it for the whole', () => {
  const { isCut, status, text } = answerTo(new Error('half-way'), { headersSent: true });
  expect([isCut, status, text]).toEqual([true, 0, '']);
});
