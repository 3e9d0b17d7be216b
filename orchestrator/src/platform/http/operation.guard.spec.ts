import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { AccountId, OperationId, Scope, WorkerId } from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import { Authenticators, type Caller } from './caller.js';
import { OperationGuard } from './operation.guard.js';
import { OPERATION, type CheckedRequest } from './operation.js';
import { ProblemError } from './problem.js';

const accountWith = (...scopes: Scope[]): Caller => ({
  kind: 'account',
  accountId: 'acc_01890a5d000000000000000001' as AccountId,
  wallet: 'a wallet',
  budgetKey: null,
  scopes: new Set(scopes),
});
const CALLERS: Record<string, Caller> = {
  tmk_reader: accountWith('jobs:read'),
  tmk_busy: accountWith('jobs:read'),
  tmk_writer: accountWith('jobs:read', 'jobs:write', 'artifacts:write'),
  tmw_worker: { kind: 'worker', workerId: 'wrk_01890a5d000000000000000001' as WorkerId },
};
const authenticators = new Authenticators();
for (const prefix of ['tmk_', 'tmw_'])
  authenticators.add(prefix, (token) => CALLERS[token] ?? null);
const charged: Caller[] = [];
const guard = new OperationGuard(new Reflector(), authenticators, {
  charge: (caller) => {
    if (caller === CALLERS['tmk_busy'])
      throw new ProblemError('RATE_LIMITED', 'Too fast.', { retryAfterS: 1 });
    charged.push(caller);
  },
});

interface Asked {
  readonly token?: string;
  readonly scheme?: string;
  readonly params?: object;
  readonly query?: object;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Asks the guard about a request; gives the checked input, or the refusal. */
async function ask(id: OperationId | null, asked: Asked = {}) {
  const { token, scheme = 'Bearer', params = {}, query = {}, headers = {}, body } = asked;
  const handler = (): void => undefined;
  if (id !== null) Reflect.defineMetadata(OPERATION, id, handler);
  const request = {
    params,
    query,
    headers: {
      ...headers,
      ...(token === undefined ? {} : { authorization: `${scheme} ${token}` }),
    },
    ...(body === undefined ? {} : { body, bodyText: JSON.stringify(body) }),
  } as unknown as CheckedRequest; // what the guard reads of a request
  const context = {
    getHandler: () => handler,
    switchToHttp: () => ({ getRequest: () => request }),
  } as unknown as ExecutionContext;
  expect(await guard.canActivate(context)).toBe(true);
  return request.input;
}

const refusal = (id: OperationId, asked: Asked) =>
  ask(id, asked).then(
    () => {
      throw new Error('it was let through');
    },
    (cause: unknown) => cause as ProblemError,
  );

describe('who is asking', () => {
  test('nobody has to say at a public operation', async () => {
    expect((await ask('listWorkers'))?.caller).toBeNull();
  });

  test('someone who does is known there, too', async () => {
    expect((await ask('listWorkers', { token: 'tmk_reader' }))?.caller).toBe(CALLERS['tmk_reader']);
  });

  test('an address that is no operation of the API is left alone', async () => {
    expect(await ask(null, { token: 'nonsense' })).toBeUndefined();
  });

  test.each([
    [{}, 'No bearer token was sent.'],
    [{ token: '' }, 'No bearer token was sent.'],
    [{ token: 'tmk_stranger' }, 'The token is not known, or has expired.'],
    [{ token: 'xyz_reader' }, 'The token is not known, or has expired.'],
    [{ token: 'noprefix' }, 'The token is not known, or has expired.'],
    [{ token: 'tmk_reader', scheme: 'Basic' }, 'The token is not known, or has expired.'],
  ])('%j is refused: %s', async (asked, detail) => {
    expect(await refusal('listJobs', asked)).toMatchObject({ code: 'UNAUTHENTICATED', detail });
  });

  test('the scheme may be spelled in any case', async () => {
    const input = await ask('listJobs', { token: 'tmk_reader', scheme: 'bEARER' });
    expect(input?.caller).toBe(CALLERS['tmk_reader']);
  });

  test('a key without the scope is told which one it takes', async () => {
    const refused = await refusal('createJob', { token: 'tmk_reader', body: {} });
    expect(refused).toMatchObject({
      code: 'FORBIDDEN',
      detail: 'This needs the scope jobs:write.',
    });
  });

  test('a worker is let in only where workers are', async () => {
    const id = 'upl_01890a5d000000000000000001';
    const input = await ask('getUpload', { token: 'tmw_worker', params: { id } });
    expect(input?.caller).toBe(CALLERS['tmw_worker']);
    expect(await refusal('listJobs', { token: 'tmw_worker' })).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('whoever is known pays for the request, even where nobody has to say (G6)', async () => {
    charged.length = 0;
    await ask('listJobs', { token: 'tmk_reader' });
    await ask('listWorkers', { token: 'tmw_worker' });
    await ask('listWorkers');
    expect(charged).toEqual([CALLERS['tmk_reader'], CALLERS['tmw_worker']]);
    const refused = await refusal('listJobs', { token: 'tmk_busy' });
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', more: { retryAfterS: 1 } });
  });

  test('it is asked before the request is looked at', async () => {
    expect(await refusal('createJob', { body: { nonsense: true } })).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

describe('what is asked', () => {
  const token = 'tmk_writer';

  test('reaches the controller as its schemas read it', async () => {
    const input = await ask('listJobs', { token, query: { limit: '7', state: 'running' } });
    expect(input?.query).toEqual({ limit: 7, state: ['running'] });
    expect((await ask('listJobs', { token }))?.query).toEqual({ limit: 50 });
  });

  test.each([
    ['query.limit', 'listJobs', { query: { limit: '0' } }],
    ['query.state', 'listJobs', { query: { state: 'lazy' } }],
    ['path.id', 'getJob', { params: { id: 'job_1' } }],
    ['header.idempotency-key', 'createJob', { headers: { 'idempotency-key': 'two words' } }],
    ['body.runtime', 'createJob', { body: { kind: 'batch' } }],
    [
      'body.jobs.1.kind',
      'createJobs',
      {
        body: {
          jobs: [
            { kind: 'batch', runtime: { noop: {} } },
            { kind: 'x', runtime: { noop: {} } },
          ],
        },
      },
    ],
  ] as const)('is refused when %s does not fit', async (path, id, asked) => {
    const { code, detail, more } = await refusal(id, { token, ...asked });
    expect(code).toBe('VALIDATION_FAILED');
    expect(more.errors?.map((error) => error.path)).toContain(path);
    expect(detail).toContain(path);
  });

  test('names at most 20 faults', async () => {
    const body = { jobs: Array.from({ length: 50 }, () => ({})) };
    const { more } = await refusal('createJobs', { token, body });
    expect(more.errors).toHaveLength(20);
  });

  test('must be JSON where JSON is taken', async () => {
    expect(await refusal('createJob', { token })).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('is left unread where bytes are streamed', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const input = await ask('putArtifact', { token, params: { digest }, body: { any: 'thing' } });
    expect(input?.body).toBeUndefined();
  });

  const noop = { kind: 'batch', runtime: { noop: {} } };
  test.each([
    ['container', 'createJob', { kind: 'batch', runtime: { container: { image: 'x' } } }],
    ['onnx', 'planJob', { kind: 'inference', runtime: { onnx: {} } }],
    ['llm', 'createJobs', { jobs: [noop, { kind: 'inference', runtime: { llm: {} } }] }],
    ['service', 'createJob', { kind: 'service', runtime: { noop: {} } }],
    ['service', 'createJobs', { jobs: [{ kind: 'service', runtime: { tfjs: {} } }] }],
  ] as const)('names what is offered when %s is asked of %s', async (name, id, body) => {
    const { code, detail } = await refusal(id, { token, body });
    expect([code, detail]).toEqual([
      'RUNTIME_NOT_OFFERED',
      `No worker software here offers ${name} yet. Offered: tfjs for training and inference, noop for batch.`,
    ]);
  });
});
