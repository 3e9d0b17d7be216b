import { ROUTES, SCOPES, type OperationId, type Route, type Scope } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { someBytes } from './artifacts/testing/artifact-calls.js';
import { WorkerTokens } from './gateway/worker-tokens.js';
import type { StageHost } from './identity/testing/stage-host.js';
import { aWallet, call, login } from './identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from './testing/network.js';
import { StageWorker } from './testing/stage-worker.js';

/** Every operation of the API, by every kind of caller, on its own and on others' things: made from the route table. */
const routes = Object.entries<Route>(ROUTES) as [OperationId, Route][];

/** Callers of other things than their own. */
const STRANGERS = ['bob', 'admin', 'worker', 'otherWorker'] as const;
type Role = (typeof STRANGERS)[number] | 'alice' | 'nobody' | 'revoked' | 'expired' | 'guess';

/** Where an id in an address is of something that somebody owns, and what it is called in `own` below. */
const OWNED = [
  ['/v1/jobs/{id}', 'job'],
  ['/v1/keys/{id}', 'key'],
  ['/v1/attempts/{id}', 'attempt'],
  ['/v1/decisions/{id}', 'decision'],
  ['/v1/artifacts/uploads/{id}', 'upload'],
  ['/v1/artifacts/{digest}', 'digest'],
  ['/v1/webhooks/{id}', 'webhook'],
] as const;
type Thing = (typeof OWNED)[number][1];
let host: StageHost;
let own: Record<Thing, string>;
/** A delivery of the webhook in `own`: the second id of an address. */
let delivery: string;
let stored: Uint8Array<ArrayBuffer>;
const OTHER_BYTES = new Uint8Array(3);
const tokens = new Map<Role, string | undefined>();
/** A key of alice's that has every scope but one, by the one. */
const lacking = new Map<Scope, string>();
const admin = aWallet();

beforeAll(async () => {
  host = await startNetwork({
    admins: [admin.address],
    env: { TIDEMILL_REQUESTS_PER_SECOND: '100000' },
  });
  const alice = await StageSubmitter.with(host);
  const bob = await StageSubmitter.with(host);
  const { token } = await login(host, alice.wallet);
  tokens.set('nobody', undefined);
  tokens.set('guess', `tmk_${'g'.repeat(43)}`);
  tokens.set('alice', token);
  tokens.set('bob', (await login(host, bob.wallet)).token);
  tokens.set('admin', (await login(host, admin)).token);

  const key = async (name: string, scopes: readonly Scope[], more: object = {}) => {
    const body = { name, scopes, ...more };
    const made = await call(host, 'POST', '/v1/keys', { token, body });
    expect([made.status, made.body.code]).toEqual([201, undefined]);
    return made.body as { id: string; key: string };
  };
  const mine = SCOPES.filter((scope) => scope !== 'admin');
  for (const scope of SCOPES) {
    const rest = mine.filter((one) => one !== scope);
    lacking.set(scope, (await key(`without ${scope}`, rest)).key);
  }
  const revoked = await key('revoked', mine);
  tokens.set('revoked', revoked.key);
  expect((await call(host, 'DELETE', `/v1/keys/${revoked.id}`, { token })).status).toBe(204);
  const soon = new Date(host.clock.nowMs() + 60_000).toISOString();
  tokens.set('expired', (await key('expired', mine, { expiresAt: soon })).key);

  const worker = await StageWorker.join(host, 'matrix');
  const idle = await StageWorker.join(host, 'elsewhere');
  tokens.set('worker', host.app.get(WorkerTokens).issue(worker.id));
  tokens.set('otherWorker', host.app.get(WorkerTokens).issue(idle.id));

  const { bytes, digest } = someBytes(64);
  stored = Uint8Array.from(bytes);
  expect((await ask('putArtifact', token, { digest }, stored)).status).toBe(201);
  const { body: upload } = await call(host, 'POST', '/v1/artifacts/uploads', {
    token,
    body: { ...someBytes(8), bytes: undefined, sizeBytes: 8 },
  });
  const job = await alice.submit(noopJob('matrix'));
  await worker.report(await worker.begin());
  const done = await alice.over(job);
  expect(done.state).toBe('succeeded');
  const running = await alice.submit(noopJob('matrix'));
  await worker.begin();
  const attempt = done.taskList[0]?.attempts[0];
  const { body: webhook } = await call(host, 'POST', '/v1/webhooks', {
    token,
    body: { url: 'https://hooks.invalid/tidemill' },
  });
  const tried = await call(host, 'POST', `/v1/webhooks/${webhook.id}/test`, { token });
  delivery = tried.body.id;
  own = {
    job: running,
    webhook: webhook.id,
    key: (await key('kept', ['jobs:read'])).id,
    attempt: attempt?.id ?? '',
    decision: attempt?.decisionId ?? '',
    upload: upload.id,
    digest,
  };
  host.clock.advance(61_000);
});
afterAll(() => host.stop());

const thingOf = (path: string): Thing | undefined =>
  OWNED.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1];
/** An id of the same form that nobody has. */
const absent = (id: string): string =>
  id.startsWith('sha256:') ? `sha256:${'0'.repeat(64)}` : `${id.slice(0, 12)}${'7'.repeat(18)}`;

/** One operation, as far as it needs no body of its own to be let in or refused. */
async function ask(
  id: OperationId,
  token: string | undefined,
  params: Readonly<Record<string, string>> = {},
  bytes: Uint8Array<ArrayBuffer> = OTHER_BYTES,
): Promise<{ status: number; text: string }> {
  const route: Route = ROUTES[id];
  let path = route.path;
  for (const [name, value] of Object.entries(params)) path = path.replace(`{${name}}`, value);
  const leave = new AbortController();
  const response = await fetch(host.url + path, {
    method: route.method.toUpperCase(),
    signal: AbortSignal.any([leave.signal, AbortSignal.timeout(20_000)]),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(route.body === undefined
        ? {}
        : {
            'content-type':
              route.body === 'bytes' ? 'application/octet-stream' : 'application/json',
          }),
      ...(route.headers?.shape['upload-offset'] === undefined ? {} : { 'upload-offset': '0' }),
    },
    ...(route.body === undefined ? {} : { body: route.body === 'bytes' ? bytes : '{}' }),
  });
  // A stream that is let in does not end by itself.
  if (route.response === 'events' && response.ok) {
    leave.abort();
    return { status: response.status, text: '' };
  }
  return { status: response.status, text: await response.text() };
}
const asRole = (id: OperationId, role: Role, params?: Readonly<Record<string, string>>) =>
  ask(id, tokens.get(role), params);
/** The parameters of an address: of the owned thing in it, or any of the right form where nobody owns it. */
function paramsOf({ path }: Route, change = (id: string) => id): Record<string, string> {
  const thing = thingOf(path);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    names.map((name, index) => {
      if (name === 'place') return [name, '0'];
      if (name === 'delivery') return [name, delivery];
      if (name === 'number') return [name, '1'];
      if (name === 'wallet') return [name, admin.address];
      if (name === 'id' && path.startsWith('/v1/epochs/')) return [name, `wrk_${'7'.repeat(26)}`];
      if (index > 0) throw new Error(`say what {${name}} of ${path} is`);
      return [name, thing === undefined ? `wrk_${'7'.repeat(26)}` : change(own[thing])];
    }),
  );
}
const isAdmitted = ({ status }: { status: number }) => status !== 401 && status !== 403;

const guarded = routes.filter(([, { access }]) => access !== 'public');
/** Epochs are nobody's; who may see which part of one is in settlement's own tests. */
const withOwner = guarded.filter(
  ([, { path }]) => path.includes('{') && !/^\/v1\/(admin|epochs)\//.test(path),
);

test('every address with an id says whose it is, so that a new one cannot be forgotten', () => {
  for (const [id, { path }] of withOwner)
    expect([id, thingOf(path)]).toEqual([id, expect.any(String)]);
  expect(withOwner.length).toBeGreaterThan(10);
});

describe('who may not call an operation at all (threat 27)', () => {
  test.each(guarded)('%s: nobody, a guess, a revoked key and an expired one', async (id, route) => {
    for (const role of ['nobody', 'guess', 'revoked', 'expired'] as const) {
      const answer = await asRole(id, role, paramsOf(route));
      expect([role, answer.status]).toEqual([role, 401]);
    }
  });

  test.each(guarded)('%s: a key that has every scope but its own', async (id, route) => {
    const scope = route.access.split('|')[0] as Scope;
    const answer = await ask(id, lacking.get(scope), paramsOf(route));
    expect(answer.status).toBe(403);
    expect(answer.text).toContain(scope);
  });

  test.each(guarded)(
    '%s: workers, unless they are named, and submitters what is the operator’s',
    async (id, route) => {
      const [scope, worker] = route.access.split('|');
      const params = paramsOf(route, absent);
      expect(isAdmitted(await asRole(id, 'otherWorker', params))).toBe(worker === 'worker');
      expect(isAdmitted(await asRole(id, 'bob', params))).toBe(scope !== 'admin');
      expect(isAdmitted(await asRole(id, 'admin', params))).toBe(true);
    },
  );

  test.each(routes.filter(([, { access }]) => access === 'public'))(
    '%s is for everybody',
    async (id, route) => {
      for (const role of ['nobody', 'guess', 'revoked', 'bob', 'worker'] as const)
        expect([role, isAdmitted(await asRole(id, role, paramsOf(route)))]).toEqual([
          role,
          // A login that is refused is not one that may not be tried.
          true,
        ]);
    },
  );
});

describe('what belongs to somebody else is as if it were not there (threat 27)', () => {
  const cases = withOwner.flatMap(([id, route]) =>
    STRANGERS.map((role) => [id, role, route] as const),
  );

  test.for(cases)('%s as %s', async ([id, role, route], { annotate }) => {
    const thing = thingOf(route.path);
    if (thing === undefined) throw new Error('nobody owns it');
    const params = paramsOf(route);
    const nothing = paramsOf(route, absent);
    const [theirs, none] = [await asRole(id, role, params), await asRole(id, role, nothing)];
    const plain = (answer: typeof theirs, named: Readonly<Record<string, string>>) =>
      `${answer.status} ${answer.text.replaceAll(Object.values(named)[0] ?? '', '…')}`;
    expect(plain(theirs, params)).toBe(plain(none, nothing));
    // Bytes are stored under their digest by whoever has them: other bytes are refused, whoever has which.
    expect(id === 'putArtifact' ? [403, 422] : [404, 403]).toContain(theirs.status);
    await annotate('1 foreign accesses refused (all asked)', 'T7');
  });

  test.each(guarded.filter(([, { method, path }]) => method === 'get' && !path.includes('{')))(
    '%s lists nothing of others',
    async (id) => {
      for (const role of STRANGERS) {
        const { text } = await asRole(id, role);
        for (const thing of Object.values(own)) expect(text).not.toContain(thing);
      }
    },
  );
});

test('and is there for its owner: what was refused above was real', async () => {
  // Last, since some of them end what they are about: those that read come first, those that delete at the end.
  const rank = ({ method }: Route) => (method === 'get' ? 0 : method === 'delete' ? 2 : 1);
  const order = [...withOwner].sort(([, a], [, b]) => rank(a) - rank(b));
  for (const [id, route] of order) {
    const { status, text } = await ask(id, tokens.get('alice'), paramsOf(route), stored);
    expect([id, status, text.slice(0, 200)]).toEqual([
      id,
      expect.not.toSatisfy(
        (one: number) => one === 404 || one === 401 || one === 403 || one >= 500,
      ),
      expect.anything(),
    ]);
  }
});
