import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  encodeBase58,
  type ErrorCode,
  ERRORS,
  type JobView,
  type LoginChallenge,
  type Route,
  ROUTES,
  utf8ToBytes,
} from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Asked, Http, problemOf } from './harness/http.js';
import { eventually } from './harness/eventually.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { sha256 } from './harness/receipts.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { freshSigner } from './harness/signer.js';
import { noopJob, operator, type Submitter, submitter } from './harness/submitter.js';

/** What is shown of a new API key. */
interface MadeKey {
  readonly id: string;
  readonly key: string;
}

let orchestrator: Orchestrator;
let alice: Submitter;
let bob: Submitter;
let admin: Http;
let job: JobView;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
  bob = await submitter(orchestrator);
  admin = await operator(orchestrator);
  job = await alice.submit(noopJob('nobody', { limits: { maxCost: 1 } }));
});

afterAll(async () => {
  // Whatever strangers send, nothing of it is a fault of ours.
  expect(await orchestrator?.stop()).toEqual([]);
});

/** Holds a refusal to its code, and its status to the code's. */
function expectRefused(answer: Answer, code: ErrorCode) {
  const problem = problemOf(answer);
  expect(problem.code, problem.detail).toBe(code);
  expect(answer.status).toBe(ERRORS[code].status);
  expect(problem.next).toBe(ERRORS[code].next);
  return problem;
}

const spec = () => noopJob('nobody', { limits: { maxCost: 1 } });
const OCTETS = { 'content-type': 'application/octet-stream' };

describe('a body that is no request', () => {
  const bodies: readonly (readonly [what: string, sent: Asked, code: ErrorCode])[] = [
    ['no JSON', { text: 'nonsense' }, 'JSON_MALFORMED'],
    ['nothing', { text: '' }, 'JSON_MALFORMED'],
    ['half of a document', { text: '{"kind":"batch","runtime":{' }, 'JSON_MALFORMED'],
    ['two documents', { text: '{}{}' }, 'JSON_MALFORMED'],
    ['a byte order mark alone', { text: '\ufeff' }, 'JSON_MALFORMED'],
    ['bytes that are no UTF-8', { text: Uint8Array.of(0x7b, 0xff, 0x7d) }, 'JSON_MALFORMED'],
    ['5 MiB', { text: JSON.stringify({ kind: 'x'.repeat(5 << 20) }) }, 'JSON_TOO_LARGE'],
    ['arrays in arrays', { text: '['.repeat(200_000) }, 'JSON_TOO_DEEP'],
    [
      'objects in objects',
      { text: '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000) },
      'JSON_TOO_DEEP',
    ],
    ['a key twice', { text: '{"kind":"batch","kind":"training"}' }, 'JSON_DUPLICATE_KEY'],
    [
      'a key twice, spelled in two ways',
      { text: '{"kind":1,"k\\u0069nd":2}' },
      'JSON_DUPLICATE_KEY',
    ],
    ['a prototype', { text: '{"__proto__":{"admin":true}}' }, 'JSON_FORBIDDEN_KEY'],
    ['a disguised prototype', { text: '{"\\u005f_proto__":1}' }, 'JSON_FORBIDDEN_KEY'],
    ['a constructor', { text: '{"limits":{"constructor":1}}' }, 'JSON_FORBIDDEN_KEY'],
    ['null', { body: null }, 'VALIDATION_FAILED'],
    ['a list', { body: [] }, 'VALIDATION_FAILED'],
    ['a number', { text: '1e999' }, 'VALIDATION_FAILED'],
    [
      'text',
      { text: 'kind=batch', headers: { 'content-type': 'text/plain' } },
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a form',
      { text: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a type that is none',
      { text: '{}', headers: { 'content-type': 'json' } },
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'an unknown alphabet',
      { text: '{}', headers: { 'content-type': 'application/json; charset=klingon' } },
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'an unknown packing',
      { text: '{}', headers: { 'content-encoding': 'lzma' } },
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a packing that is none',
      { text: '{}', headers: { 'content-encoding': 'gzip' } },
      'JSON_MALFORMED',
    ],
    [
      'a small packet that unfolds',
      {
        text: new Uint8Array(gzipSync(Buffer.alloc(64 << 20, 32))),
        headers: { 'content-encoding': 'gzip' },
      },
      'JSON_TOO_LARGE',
    ],
  ];
  for (const [what, sent, code] of bodies) {
    test(`${what}: ${code}`, async () => {
      expectRefused(await alice.http.ask('POST', '/v1/jobs', sent), code);
    });
  }
});

describe('a spec that does not fit its schema names the member', () => {
  const wrong: readonly (readonly [path: string, change: Record<string, unknown>])[] = [
    ['body', { surprise: true }],
    ['body.kind', { kind: 'mining' }],
    ['body.name', { name: 'No Capitals' }],
    ['body.runtime', { runtime: {} }],
    ['body.runtime', { runtime: { noop: {}, mpi: {} } }],
    ['body.runtime.noop.sleepMs', { runtime: { noop: { sleepMs: -1 } } }],
    ['body.runtime.noop.sleepMs', { runtime: { noop: { sleepMs: 1.5 } } }],
    ['body.runtime.noop.sleepMs', { runtime: { noop: { sleepMs: 1e300 } } }],
    ['body.resources.memory', { resources: { memory: '99999999TB' } }],
    ['body.resources.memory', { resources: { memory: '2GB..1GB' } }],
    ['body.resources.gpus', { resources: { gpus: -1 } }],
    ['body.retry.max', { retry: { max: 1_000_000_000 } }],
    ['body.limits.maxCost', { limits: { maxCost: '1.0000001' } }],
    ['body.limits.maxCost', { limits: { maxCost: '-1' } }],
    ['body.limits.maxCost', { limits: { maxCost: 1e300 } }],
    ['body.limits.maxDuration', { limits: { maxDuration: '31d' } }],
    ['body.limits.deadline', { limits: { deadline: 'tomorrow' } }],
    ['body.verify', { verify: { replicate: 100 } }],
    ['body.priority', { priority: 'urgent' }],
  ];
  for (const [path, change] of wrong) {
    test(`${path}: ${JSON.stringify(change)}`, async () => {
      const { errors } = expectRefused(
        await alice.post({ ...spec(), ...change }),
        'VALIDATION_FAILED',
      );
      expect(errors?.map((error) => error.path)).toContainEqual(expect.stringContaining(path));
    });
  }

  test('a runtime that the design names and nobody runs yet says what there is', async () => {
    for (const runtime of [{ onnx: { model: 'x' } }, { llm: {} }, { container: { image: 'x' } }]) {
      const { detail } = expectRefused(
        await alice.post({ ...spec(), runtime }),
        'RUNTIME_NOT_OFFERED',
      );
      expect(detail).toContain('tfjs');
    }
  });

  test('a batch of none, and one of too many', async () => {
    for (const count of [0, 101]) {
      const jobs = Array.from({ length: count }, spec);
      expectRefused(await alice.http.post('/v1/jobs/batch', { jobs }), 'VALIDATION_FAILED');
    }
  });

  test('the dearest job there can be is refused for its price, and for nothing else', async () => {
    const resources = { cpu: 4096, gpuModels: ['nobody'] };
    const limits = { maxPricePerCpuHour: 1_000_000_000, maxDuration: '30d' };
    const dear = { ...spec(), resources, limits, verify: { replicate: 5 } };
    expectRefused(await alice.post(dear), 'INSUFFICIENT_FUNDS');
  });
});

describe('who is asking', () => {
  const somewhere = '/v1/account';
  const tokens: readonly (readonly [what: string, header: string | undefined])[] = [
    ['nobody', undefined],
    ['another scheme', 'Basic YWxpY2U6c2VjcmV0'],
    ['an empty token', 'Bearer '],
    ['garbage', 'Bearer garbage'],
    ['a token of the right form', `Bearer tml_${'A'.repeat(43)}`],
    ['a key of the right form', `Bearer tmk_${'A'.repeat(43)}`],
    [
      'a worker token of the right form',
      `Bearer tmw_wrk_${'0'.repeat(26)}.9999999999999.${'A'.repeat(43)}`,
    ],
    ['a very long token', `Bearer tml_${'A'.repeat(8_000)}`],
  ];
  for (const [what, authorization] of tokens) {
    test(`${what}: UNAUTHENTICATED`, async () => {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await new Http(orchestrator.url).get(somewhere, headers);
      expectRefused(answer, 'UNAUTHENTICATED');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    });
  }

  test('every operation that is not public asks for a token', async () => {
    const anyone = new Http(orchestrator.url);
    for (const route of Object.values<Route>(ROUTES)) {
      if (route.access === 'public' || route.method === 'head') continue;
      const body = route.body === undefined ? {} : { text: '{}' };
      const answer = await anyone.ask(route.method.toUpperCase(), addressOf(route), body);
      expectRefused(answer, 'UNAUTHENTICATED');
    }
  });

  test('a key does what its scopes say, until it expires or is revoked', async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const request = { name: 'reader', scopes: ['jobs:read'], expiresAt };
    const made = await alice.http.post<MadeKey>('/v1/keys', request);
    expect(made.status).toBe(201);
    const reader = new Http(orchestrator.url, made.body.key);
    expect((await reader.get('/v1/jobs')).status).toBe(200);
    expect(expectRefused(await reader.post('/v1/jobs', spec()), 'FORBIDDEN').detail).toContain(
      'jobs:write',
    );
    expectRefused(await reader.get('/v1/account'), 'FORBIDDEN');
    expectRefused(
      await reader.post('/v1/keys', { ...request, scopes: ['jobs:write'] }),
      'FORBIDDEN',
    );
    const over = await eventually('the key has expired', async () => {
      const answer = await reader.get('/v1/jobs');
      return answer.status !== 200 && answer;
    });
    expectRefused(over, 'UNAUTHENTICATED');

    const other = await alice.http.post<MadeKey>('/v1/keys', {
      name: 'x',
      scopes: ['jobs:read'],
    });
    const second = new Http(orchestrator.url, other.body.key);
    expect((await second.get('/v1/jobs')).status).toBe(200);
    expectRefused(await bob.http.ask('DELETE', `/v1/keys/${other.body.id}`), 'NOT_FOUND');
    expect((await alice.http.ask('DELETE', `/v1/keys/${other.body.id}`)).status).toBe(204);
    expectRefused(await second.get('/v1/jobs'), 'UNAUTHENTICATED');
  });

  test('what only the operator may do', async () => {
    const credit = { wallet: alice.wallet.address, amount: 1_000_000, ref: 'mine' };
    expectRefused(await alice.http.post('/v1/admin/credit', credit), 'FORBIDDEN');
    const key = await alice.http.post<MadeKey>('/v1/keys', { name: 'sly', scopes: ['admin'] });
    if (key.status === 201) {
      const sly = new Http(orchestrator.url, key.body.key);
      expectRefused(await sly.post('/v1/admin/credit', credit), 'FORBIDDEN');
    } else expectRefused(key, 'FORBIDDEN');
    expect((await alice.account()).granted).toBe('1000000000');
  });

  test('a worker may move artifacts and nothing else', async () => {
    const worker = await ScriptedWorker.join(orchestrator, 'curious');
    const http = new Http(orchestrator.url, worker.welcome.token);
    expectRefused(await http.get('/v1/jobs'), 'FORBIDDEN');
    expectRefused(await http.post('/v1/jobs', spec()), 'FORBIDDEN');
    expectRefused(await http.get('/v1/account'), 'FORBIDDEN');
    expectRefused(await http.get(`/v1/artifacts/${sha256('not there')}`), 'NOT_FOUND');
    const stretched = worker.welcome.token.replace(/\.(\d{13})\./, '.9999999999999.');
    const forged = new Http(orchestrator.url, stretched);
    expectRefused(await forged.get(`/v1/artifacts/${sha256('x')}`), 'UNAUTHENTICATED');
    worker.drop();
  });

  test('a login is good for one wallet, one message and one time (G21)', async () => {
    const anyone = new Http(orchestrator.url);
    const [wallet, other] = [freshSigner(), freshSigner()];
    const challenge = async () =>
      (await anyone.post<LoginChallenge>('/v1/auth/challenge', { publicKey: wallet.address })).body;
    const answer = (publicKey: string, nonce: string, bytes: Uint8Array) =>
      anyone.post('/v1/auth/login', { publicKey, nonce, signature: encodeBase58(bytes) });

    const one = await challenge();
    const signature = wallet.sign(utf8ToBytes(one.message));
    expect((await answer(wallet.address, one.nonce, signature)).status).toBe(201);
    expectRefused(await answer(wallet.address, one.nonce, signature), 'LOGIN_REFUSED');

    const two = await challenge();
    const byAnother = other.sign(utf8ToBytes(two.message));
    expectRefused(await answer(wallet.address, two.nonce, byAnother), 'LOGIN_REFUSED');
    const three = await challenge();
    const asWorker = three.message.replace('tidemill/login/1/submitter', 'tidemill/login/1/worker');
    expectRefused(
      await answer(wallet.address, three.nonce, wallet.sign(utf8ToBytes(asWorker))),
      'LOGIN_REFUSED',
    );
    const four = await challenge();
    expectRefused(
      await answer(other.address, four.nonce, other.sign(utf8ToBytes(four.message))),
      'LOGIN_REFUSED',
    );
  });

  test('a key that signs for everybody identifies nobody', async () => {
    const smallOrder = encodeBase58(Uint8Array.of(1, ...new Uint8Array(31)));
    const anyone = new Http(orchestrator.url);
    for (const publicKey of [smallOrder, encodeBase58(new Uint8Array(32))]) {
      expectRefused(await anyone.post('/v1/auth/challenge', { publicKey }), 'KEY_UNSOUND');
    }
    const short = encodeBase58(new Uint8Array(31).fill(7));
    const answer = await anyone.post('/v1/auth/challenge', { publicKey: short });
    expect(['KEY_UNSOUND', 'VALIDATION_FAILED']).toContain(problemOf(answer).code);
  });
});

/** The address of an operation with something of the right form in every gap. */
function addressOf({ path }: Route): string {
  const nothing: Record<string, string> = {
    digest: sha256('nothing'),
    place: '999999999',
    delivery: '999999999',
    number: '999999999',
    wallet: '1'.repeat(32),
    id: `job_${'0'.repeat(26)}`,
  };
  const kind = /\/v1\/(?:admin\/)?(\w+)/.exec(path)?.[1];
  const prefix = {
    workers: 'wrk',
    keys: 'key',
    artifacts: 'upl',
    decisions: 'dec',
    attempts: 'att',
    webhooks: 'whk',
  }[kind ?? ''];
  if (prefix !== undefined) nothing['id'] = `${prefix}_${'0'.repeat(26)}`;
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => nothing[name] ?? '');
}

describe('an address', () => {
  test('of another submitter’s job is not there (G22)', async () => {
    const mine = `/v1/jobs/${job.id}`;
    for (const path of [mine, `${mine}/logs`, `${mine}/outputs`, `${mine}/events`]) {
      expectRefused(await bob.http.get(path), 'NOT_FOUND');
    }
    expectRefused(await bob.cancel(job.id), 'NOT_FOUND');
    expect((await alice.job(job.id)).state).toBe('queued');
  });

  test('that nothing is at answers as a problem too', async () => {
    for (const path of [
      '/',
      '/v1',
      '/v2/jobs',
      '/v1/jobs/x/y/z',
      '/admin',
      '/.env',
      '/v1/../etc/passwd',
    ]) {
      expectRefused(await alice.http.get(path), 'NOT_FOUND');
    }
    for (const [method, path] of [
      ['DELETE', '/v1/jobs'],
      ['PUT', '/v1/account'],
      ['PATCH', `/v1/jobs/${job.id}`],
      ['GET', '/v1/jobs/batch/x'],
      ['OPTIONS', '/v1/nothing'],
    ] as const) {
      const { status, body } = await alice.http.ask(method, path);
      expect([404, 405], `${method} ${path}: ${JSON.stringify(body)}`).toContain(status);
    }
  });

  const addresses: readonly (readonly [path: string, code: ErrorCode])[] = [
    ['/v1/jobs/nonsense', 'VALIDATION_FAILED'],
    [`/v1/jobs/job_${'0'.repeat(26)}`, 'NOT_FOUND'],
    [`/v1/jobs/tsk_${'0'.repeat(26)}`, 'VALIDATION_FAILED'],
    ["/v1/jobs/job_' OR 1=1 --", 'VALIDATION_FAILED'],
    ['/v1/jobs/%00', 'VALIDATION_FAILED'],
    ['/v1/jobs/%E0%A4%A', 'VALIDATION_FAILED'],
    ['/v1/workers/nonsense', 'VALIDATION_FAILED'],
    [`/v1/workers/wrk_${'0'.repeat(26)}`, 'NOT_FOUND'],
    [`/v1/decisions/dec_${'0'.repeat(26)}`, 'NOT_FOUND'],
    ['/v1/artifacts/sha256:xyz', 'VALIDATION_FAILED'],
    ['/v1/artifacts/..%2f..%2fetc%2fpasswd', 'VALIDATION_FAILED'],
    [`/v1/artifacts/${sha256('nothing')}`, 'NOT_FOUND'],
    [`/v1/artifacts/uploads/upl_${'0'.repeat(26)}`, 'NOT_FOUND'],
    ['/v1/trail/events/-1', 'VALIDATION_FAILED'],
    ['/v1/trail/events/999999999', 'NOT_FOUND'],
    ['/v1/trail/events/99999999999999999999', 'VALIDATION_FAILED'],
    ['/v1/trail?from=-1', 'VALIDATION_FAILED'],
    ['/v1/trail?from=1e400', 'VALIDATION_FAILED'],
    ['/v1/trail?limit=100000', 'VALIDATION_FAILED'],
    ['/v1/trail/checkpoint?size=9007199254740991', 'NOT_FOUND'],
    ['/v1/trail/proof/inclusion?place=0&size=0', 'VALIDATION_FAILED'],
    ['/v1/trail/proof/inclusion?place=9007199254740991&size=9007199254740991', 'NOT_FOUND'],
    ['/v1/trail/proof/consistency?from=9&to=1', 'NOT_FOUND'],
    ['/v1/jobs?limit=0', 'VALIDATION_FAILED'],
    ['/v1/jobs?limit=201', 'VALIDATION_FAILED'],
    ['/v1/jobs?limit=ten', 'VALIDATION_FAILED'],
    ['/v1/jobs?limit=1&limit=2', 'VALIDATION_FAILED'],
    ['/v1/jobs?surprise=1', 'VALIDATION_FAILED'],
    ['/v1/jobs?state=sleeping', 'VALIDATION_FAILED'],
    ['/v1/jobs?cursor=nonsense', 'CURSOR_INVALID'],
    [`/v1/jobs?cursor=${'x'.repeat(200)}`, 'VALIDATION_FAILED'],
    ['/v1/keys?cursor=%00', 'CURSOR_INVALID'],
    ['/v1/workers?cursor=nonsense', 'CURSOR_INVALID'],
    ['/v1/account/entries?cursor=abc', 'CURSOR_INVALID'],
    ['/v1/account/entries?cursor=-1', 'CURSOR_INVALID'],
    ['/v1/account/entries?cursor=999999999999999999999', 'CURSOR_INVALID'],
  ];
  for (const [path, code] of addresses) {
    test(`${path}: ${code}`, async () => {
      expectRefused(await alice.http.get(path), code);
    });
  }

  test('a cursor of another list is none of this one', async () => {
    for (const cursor of ['nonsense', 'att_x:1', `att_${'0'.repeat(26)}:99999999999`, job.id]) {
      const answer = await alice.http.get(`/v1/jobs/${job.id}/logs?cursor=${cursor}`);
      expectRefused(answer, 'CURSOR_INVALID');
    }
  });
});

describe('a header', () => {
  test('that is no idempotency key is refused', async () => {
    for (const key of ['with space', 'x'.repeat(129), 'ü']) {
      expectRefused(await alice.post(spec(), key), 'VALIDATION_FAILED');
    }
  });

  test('that is no event id starts the stream from the beginning', async () => {
    const { id } = await alice.submit(spec());
    await alice.cancel(id);
    for (const last of ['nonsense', '0', '9'.repeat(400)]) {
      const { status, body } = await alice.http.get<string>(`/v1/jobs/${id}/events`, {
        'last-event-id': last,
      });
      expect(status).toBe(200);
      expect(body).toContain('event: accepted');
    }
  });
});

describe('an artifact', () => {
  const bytes = new TextEncoder().encode('{"some":"bytes"}');
  const at = `/v1/artifacts/${sha256(bytes)}`;

  test('whose bytes have another digest is refused, and is not kept', async () => {
    const wrong = `/v1/artifacts/${sha256('something else')}`;
    const sent = { text: bytes, headers: OCTETS };
    expectRefused(await alice.http.ask('PUT', wrong, sent), 'DIGEST_MISMATCH');
    expectRefused(await alice.http.get(wrong), 'NOT_FOUND');
  });

  test('may be JSON and be called so', async () => {
    const sent = { text: bytes, headers: { 'content-type': 'application/json' } };
    const put = await alice.http.ask('PUT', at, sent);
    expect(put.status, JSON.stringify(put.body)).toBe(201);
    expect((await alice.http.get(at)).body).toEqual({ some: 'bytes' });
  });

  test('of somebody else is not there, though its digest is known (G22)', async () => {
    const secret = new TextEncoder().encode('a secret of alice');
    const its = `/v1/artifacts/${sha256(secret)}`;
    expect((await alice.http.ask('PUT', its, { text: secret, headers: OCTETS })).status).toBe(201);
    expect((await alice.http.get(its)).status).toBe(200);
    expectRefused(await bob.http.get(its), 'NOT_FOUND');
  });

  test('has no bytes beyond its end', async () => {
    await alice.http.ask('PUT', at, { text: bytes, headers: OCTETS });
    expectRefused(await alice.http.get(at, { range: 'bytes=999-' }), 'RANGE_INVALID');
    expect((await alice.http.get(at, { range: 'bytes=0-3' })).status).toBe(206);
    expect((await alice.http.get(at, { range: 'nonsense' })).status).toBe(200);
  });

  test('that is uploaded in parts goes on where it is', async () => {
    const begun = await alice.http.post<{ id: string }>('/v1/artifacts/uploads', {
      digest: sha256(bytes),
      sizeBytes: bytes.length,
    });
    expect(begun.status).toBe(201);
    const upload = `/v1/artifacts/uploads/${begun.body.id}`;
    const append = (offset: string | undefined, who = alice) =>
      who.http.ask('PATCH', upload, {
        text: bytes,
        headers: { ...OCTETS, ...(offset === undefined ? {} : { 'upload-offset': offset }) },
      });
    expectRefused(await append('5'), 'UPLOAD_OFFSET');
    expectRefused(await append(undefined), 'VALIDATION_FAILED');
    expectRefused(await append('-1'), 'VALIDATION_FAILED');
    expectRefused(await append('0', bob), 'NOT_FOUND');
    expect((await append('0')).status).toBe(200);
    const tooLarge = { digest: sha256('x'), sizeBytes: 2 ** 52 };
    expectRefused(await alice.http.post('/v1/artifacts/uploads', tooLarge), 'ARTIFACT_TOO_LARGE');
  });
});

describe('text that a database does not take', () => {
  test('is refused or kept, and is never a fault of ours', async () => {
    const odd = 'a\u0000b\ud800';
    const answers = [
      await alice.http.post('/v1/keys', { name: odd, scopes: ['jobs:read'] }),
      await admin.post('/v1/admin/credit', { wallet: alice.wallet.address, amount: 1, ref: odd }),
      await alice.post({ ...spec(), runtime: { noop: { fail: odd } } }),
      await alice.post({ ...spec(), resources: { gpuModels: [odd] } }),
      await new Http(orchestrator.url).post('/v1/auth/login', {
        publicKey: alice.wallet.address,
        nonce: odd,
        signature: encodeBase58(new Uint8Array(64)),
      }),
    ];
    for (const { status, body } of answers) expect(status, JSON.stringify(body)).toBeLessThan(500);
  });
});

test('nothing that can be said in JSON makes any operation fail', async () => {
  const withBody = Object.values<Route>(ROUTES).filter(
    ({ body }) => body !== undefined && body !== 'bytes',
  );
  const seeds = [
    spec(),
    { jobs: [spec()] },
    { name: 'k', scopes: ['jobs:read'] },
    { wallet: 'x', amount: 1, ref: 'r' },
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.string(), fc.jsonValue({ maxDepth: 3 }))
    .map(([seed, key, value]) => ({ ...seed, [key]: value }));
  const inside = fc
    .tuple(
      fc.constantFrom('kind', 'runtime', 'resources', 'limits', 'verify', 'retry', 'name'),
      fc.jsonValue(),
    )
    .map(([key, value]) => ({ ...spec(), [key]: value }));
  const body = fc.oneof(fc.jsonValue({ maxDepth: 4 }), mutated, inside);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...withBody), body, async (route, value) => {
      const who = route.access === 'admin' ? admin : alice.http;
      const text = JSON.stringify(value);
      const answer = await who.ask(route.method.toUpperCase(), addressOf(route), { text });
      expect(answer.status, text).toBeLessThan(500);
      if (answer.status >= 400) problemOf(answer);
    }),
    { numRuns: 300 },
  );
});
