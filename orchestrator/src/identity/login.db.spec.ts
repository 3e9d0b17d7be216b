import { encodeBase58, loginText, type LoginMessage } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_CHALLENGES_OF_ADDRESS } from './challenge-budget.js';
import { Directory } from './directory.js';
import { IdentityLoop } from './identity.loop.js';
import { IdentityModule } from './identity.module.js';
import { IdentityStore } from './identity.store.js';
import { LOGIN_TTL_MS, MAX_CHALLENGES_OF_WALLET } from './login.service.js';
import { startStages, type StageHost } from './testing/stage-host.js';
import { aWallet, call, challengeFor, login, type Wallet } from './testing/wallet.js';

let host: StageHost;
const admin = aWallet();

beforeAll(async () => {
  host = await startStages([IdentityModule], { admins: [admin.address] });
});
afterAll(() => host.stop());

const send = (publicKey: string, nonce: string, signature: Uint8Array) =>
  call(host, 'POST', '/v1/auth/login', {
    body: { publicKey, nonce, signature: encodeBase58(signature) },
  });

/** Asks for a challenge and answers with a signature over what `forge` makes of it. */
async function loginOver(wallet: Wallet, forge: (message: LoginMessage) => LoginMessage) {
  const { nonce, message, expiresAt } = await challengeFor(host, wallet);
  const issuedAt = new Date(Date.parse(expiresAt) - 60_000).toISOString();
  const issued: LoginMessage = {
    purpose: 'submitter',
    audience: 'tidemill.test',
    network: 'testnet',
    publicKey: wallet.address,
    nonce,
    issuedAt,
    expiresAt,
  };
  expect(loginText(issued)).toBe(message); // so the forgeries below differ in what they say and in nothing else
  return await send(wallet.address, nonce, wallet.sign(loginText(forge(issued))));
}

describe('a login', () => {
  test('makes the account once and gives a new token each time', async () => {
    const wallet = aWallet();
    const first = await login(host, wallet);
    const second = await login(host, wallet);
    expect(second.accountId).toBe(first.accountId);
    expect(second.token).not.toBe(first.token);
    expect(first.token).toMatch(/^tml_[\w-]{43}$/);
    const accounts = await host.db.query('SELECT id FROM accounts WHERE wallet = $1', [
      wallet.address,
    ]);
    expect(accounts).toEqual([{ id: first.accountId }]);
    const events = await host.db.query(
      'SELECT kind FROM trail_events WHERE subject = $1 ORDER BY id',
      [first.accountId],
    );
    expect(events).toEqual([
      { kind: 'account.created' },
      { kind: 'account.login' },
      { kind: 'account.login' },
    ]);
  });

  test('leaves no token and no nonce in clear in the database', async () => {
    const { token } = await login(host, aWallet());
    const kept = await host.db.query<{ line: string }>(
      `SELECT login_tokens::text AS line FROM login_tokens UNION ALL SELECT body FROM trail_events`,
    );
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.filter(({ line }) => line.includes(token.slice(4)))).toEqual([]);
  });

  test('two at once for a new wallet make one account', async () => {
    const wallet = aWallet();
    const logins = await Promise.all(Array.from({ length: 6 }, () => login(host, wallet)));
    expect(new Set(logins.map(({ accountId }) => accountId)).size).toBe(1);
  });

  test('token ends after twelve hours', async () => {
    const { token } = await login(host, aWallet());
    expect((await call(host, 'GET', '/v1/keys', { token })).status).toBe(200);
    host.clock.advance(LOGIN_TTL_MS);
    expect((await call(host, 'GET', '/v1/keys', { token })).body.code).toBe('UNAUTHENTICATED');
  });

  test('only a wallet the operator named becomes admin', async () => {
    const asAdmin = await login(host, admin);
    const asOther = await login(host, aWallet());
    const body = { name: 'operator', scopes: ['admin'] };
    expect((await call(host, 'POST', '/v1/keys', { token: asAdmin.token, body })).status).toBe(201);
    expect((await call(host, 'POST', '/v1/keys', { token: asOther.token, body })).body.code).toBe(
      'FORBIDDEN',
    );
  });
});

describe('a login is refused', () => {
  test('when its nonce was used before', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    const signature = wallet.sign(message);
    expect((await send(wallet.address, nonce, signature)).status).toBe(201);
    expect((await send(wallet.address, nonce, signature)).body.code).toBe('LOGIN_REFUSED');
  });

  test('for all but one when the same answer comes ten times at once', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(wallet.address, nonce, wallet.sign(message))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
  });

  test.each<[string, (message: LoginMessage) => LoginMessage]>([
    ['another domain', (message) => ({ ...message, audience: 'tidemill.evil' })],
    ['another network', (message) => ({ ...message, network: 'mainnet' })],
    ['the purpose of a worker', (message) => ({ ...message, purpose: 'worker' })],
    ['another nonce', (message) => ({ ...message, nonce: '00'.repeat(24) })],
    ['a later end', (message) => ({ ...message, expiresAt: '2099-01-01T00:00:00.000Z' })],
  ])('when %s was signed', async (_, forge) => {
    const answer = await loginOver(aWallet(), forge);
    expect([answer.status, answer.body.code]).toEqual([401, 'LOGIN_REFUSED']);
  });

  test('after a minute', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    host.clock.advance(60_000);
    expect((await send(wallet.address, nonce, wallet.sign(message))).body.code).toBe(
      'LOGIN_REFUSED',
    );
  });

  test('when another key signed, or another key answers', async () => {
    const [wallet, other] = [aWallet(), aWallet()];
    const first = await challengeFor(host, wallet);
    expect((await send(wallet.address, first.nonce, other.sign(first.message))).body.code).toBe(
      'LOGIN_REFUSED',
    );
    const second = await challengeFor(host, wallet);
    expect((await send(other.address, second.nonce, other.sign(second.message))).body.code).toBe(
      'LOGIN_REFUSED',
    );
  });

  test('when the signature was changed into another valid-looking one (S + L)', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    expect(
      (await send(wallet.address, nonce, plusGroupOrder(wallet.sign(message)))).body.code,
    ).toBe('LOGIN_REFUSED');
  });

  test('when the signature is cut short', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    expect(
      (await send(wallet.address, nonce, wallet.sign(message).subarray(0, 63))).body.code,
    ).toBe('LOGIN_REFUSED');
    expect((await send(wallet.address, nonce, wallet.sign(message).subarray(0, 8))).body.code).toBe(
      'VALIDATION_FAILED',
    );
  });

  test('and uses the nonce up even when the signature was wrong', async () => {
    const wallet = aWallet();
    const { nonce, message } = await challengeFor(host, wallet);
    await send(wallet.address, nonce, new Uint8Array(64).fill(7));
    expect((await send(wallet.address, nonce, wallet.sign(message))).body.code).toBe(
      'LOGIN_REFUSED',
    );
  });
});

describe('a challenge', () => {
  test.each([
    ['the neutral point', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['a point of order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['a point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['a point of order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    [
      'the neutral point in another spelling',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ],
    ['no point of the curve', '0200000000000000000000000000000000000000000000000000000000000000'],
  ])('is refused to %s', async (_, hex) => {
    const publicKey = encodeBase58(Buffer.from(hex, 'hex'));
    const answer = await call(host, 'POST', '/v1/auth/challenge', { body: { publicKey } });
    expect([answer.status, answer.body.code]).toEqual([422, 'KEY_UNSOUND']);
  });

  test('replaces the oldest of its wallet when many wait', async () => {
    const wallet = aWallet();
    const oldest = await challengeFor(host, wallet);
    host.clock.advance(1);
    for (let i = 0; i < MAX_CHALLENGES_OF_WALLET; i += 1) await challengeFor(host, wallet);
    const rows = await host.db.query('SELECT nonce FROM login_challenges WHERE wallet = $1', [
      wallet.address,
    ]);
    expect(rows).toHaveLength(MAX_CHALLENGES_OF_WALLET);
    expect((await send(wallet.address, oldest.nonce, wallet.sign(oldest.message))).body.code).toBe(
      'LOGIN_REFUSED',
    );
  });

  test('goes to one network address only so often in a minute', async () => {
    host.clock.advance(60_000);
    const wallet = aWallet();
    const ask = () =>
      call(host, 'POST', '/v1/auth/challenge', { body: { publicKey: wallet.address } });
    for (let i = 0; i < MAX_CHALLENGES_OF_ADDRESS; i += 1) expect((await ask()).status).toBe(201);
    const refused = await ask();
    expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    host.clock.advance(60_000);
    expect((await ask()).status).toBe(201);
  });

  test('is deleted, and so is a login, once it has ended', async () => {
    await login(host, aWallet());
    await challengeFor(host, aWallet());
    host.clock.advance(LOGIN_TTL_MS);
    while (await host.app.get(IdentityLoop).turn());
    expect(await host.db.query('SELECT 1 FROM login_challenges')).toEqual([]);
    expect(await host.db.query('SELECT 1 FROM login_tokens')).toEqual([]);
  });
});

describe('the directory', () => {
  test('makes no account for a wallet that cannot identify anybody', async () => {
    const unsound = encodeBase58(Buffer.alloc(32));
    const made = host.db.transaction((tx) => host.app.get(Directory).ensureAccount(tx, unsound));
    await expect(made).rejects.toMatchObject({ code: 'KEY_UNSOUND' });
  });

  test('keeps no account of a transaction that failed', async () => {
    const wallet = aWallet();
    const failed = host.db.transaction(async (tx) => {
      await host.app.get(Directory).ensureAccount(tx, wallet.address);
      throw new RangeError('on purpose');
    });
    await expect(failed).rejects.toThrow(RangeError);
    expect(
      await host.db.query('SELECT 1 FROM accounts WHERE wallet = $1', [wallet.address]),
    ).toEqual([]);
  });

  test('lets the application change no account', async () => {
    await login(host, aWallet());
    await expect(host.db.query(`UPDATE accounts SET wallet = 'x'`)).rejects.toThrow(
      /permission denied/,
    );
    await expect(host.db.query('DELETE FROM accounts')).rejects.toThrow(/permission denied/);
    expect(await host.app.get(IdentityStore).takeChallenge('nobody asked')).toBeNull();
  });
});

/** Adds the group's order to S, which an unstrict verifier takes for the same signature. */
function plusGroupOrder(signature: Uint8Array): Uint8Array {
  let carry = 2n ** 252n + 27742317777372353535851937790883648493n;
  const changed = Uint8Array.from(signature);
  for (let i = 32; i < 64; i += 1) {
    carry += BigInt(changed[i] ?? 0);
    changed[i] = Number(carry & 0xffn);
    carry >>= 8n;
  }
  expect(carry).toBe(0n);
  return changed;
}
