import { afterEach, expect, test } from 'vitest';
import { fakeLogin } from '../testing/fake-login.js';
import {
  type FakeOrchestrator,
  fakeOrchestrator,
  type Handler,
  refusal,
} from '../testing/fake-orchestrator.js';
import { quickClock } from '../testing/quick-clock.js';
import { testSigner } from '../testing/test-signer.js';
import { Tidemill } from './tidemill.js';

let fake: FakeOrchestrator | undefined;
afterEach(() => fake?.close());

async function start(routes: Record<string, Handler>): Promise<FakeOrchestrator> {
  fake = await fakeOrchestrator(routes);
  return fake;
}

const account: Handler = ({ headers }) => ({ json: { id: headers.authorization } });

test('a login signs exactly the message for this network and gets a token', async () => {
  const { url, host } = await start(fakeLogin().routes);
  const signer = testSigner();
  const login = await new Tidemill({ url }).login(signer);
  expect(login).toEqual({
    token: 'token-1',
    expiresAt: '2030-01-01T12:00:00.000Z',
    accountId: 'acc_1',
  });
  expect(signer.signed).toHaveLength(1);
  expect(signer.signed[0]).toContain(`${host} wants you to sign in`);
});

test.each([
  ['a worker login', fakeLogin({ change: { purpose: 'worker' } })],
  ['a login somewhere else', fakeLogin({ change: { audience: 'tidemill.example' } })],
  [
    'a login with another key',
    fakeLogin({ change: { publicKey: 'So11111111111111111111111111111111111111112' } }),
  ],
  ['another nonce than it says', fakeLogin({ change: { nonce: 'nonce-2' } })],
  ['more than a login', fakeLogin({ reword: (text) => `${text}\n- and pay 10 SOL` })],
  ['any other text', fakeLogin({ reword: () => 'transfer everything' })],
])('nothing is signed when the challenge is for %s', async (_, { routes }) => {
  const { url } = await start(routes);
  const signer = testSigner();
  await expect(new Tidemill({ url }).login(signer)).rejects.toMatchObject({
    code: 'CHALLENGE_REFUSED',
  });
  expect(signer.signed).toEqual([]);
});

test('an audience behind another name is accepted when the caller names it', async () => {
  const { url } = await start(fakeLogin({ change: { audience: 'tidemill.example' } }).routes);
  const tidemill = new Tidemill({ url, audience: 'tidemill.example' });
  await expect(tidemill.login(testSigner())).resolves.toMatchObject({ token: 'token-1' });
});

test('a client with a signer logs in once for all its calls', async () => {
  const { routes, tokens } = fakeLogin();
  const { url } = await start({ ...routes, 'GET /v1/account': account });
  const tidemill = new Tidemill({ url, signer: testSigner(), clock: quickClock() });
  const first = await tidemill.account.get();
  const second = await tidemill.account.get();
  expect([first.id, second.id]).toEqual(['Bearer token-1', 'Bearer token-1']);
  expect(tokens).toHaveLength(1);
});

test('a client with a signer replaces a token that is about to end', async () => {
  const { routes, tokens } = fakeLogin({ expiresAt: '2030-01-01T00:00:30.000Z' });
  const { url } = await start({ ...routes, 'GET /v1/account': account });
  const tidemill = new Tidemill({ url, signer: testSigner(), clock: quickClock() });
  await tidemill.account.get();
  await tidemill.account.get();
  expect(tokens).toHaveLength(2);
});

test('a client with a signer logs in again after a 401, but only once', async () => {
  const { routes, tokens } = fakeLogin();
  const { url } = await start({
    ...routes,
    'GET /v1/account': () => refusal('UNAUTHENTICATED', 'the token is not known'),
  });
  const tidemill = new Tidemill({ url, signer: testSigner(), clock: quickClock() });
  await expect(tidemill.account.get()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(tokens).toHaveLength(2);
});

test('a login from before is used while it is good, and a new one is shown to be kept', async () => {
  const { routes, tokens } = fakeLogin();
  const { url } = await start({
    ...routes,
    'GET /v1/account': (request, call) =>
      call === 1 ? refusal('UNAUTHENTICATED', 'not known any more') : account(request, call),
  });
  const login = { token: 'old', expiresAt: '2030-01-01T10:00:00.000Z', accountId: 'acc_1' };
  const kept: string[] = [];
  const onLogin = ({ token }: { token: string }) => void kept.push(token);
  const clock = quickClock();
  const tidemill = new Tidemill({ url, signer: testSigner(), login, onLogin, clock });
  await expect(tidemill.account.get()).resolves.toEqual({ id: 'Bearer token-1' });
  expect(fake?.requests[0]?.headers.authorization).toBe('Bearer old');
  expect([kept, tokens]).toEqual([['token-1'], ['token-1']]);
});
