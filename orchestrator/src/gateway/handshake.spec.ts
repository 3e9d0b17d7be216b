import {
  CLOSE,
  encodeBase58,
  loginText,
  LOGIN_NONCE_TTL_MS,
  utf8ToBytes,
  type FromWorker,
} from '@tidemill/protocol';
import { nodeVerifier } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import type { Config } from '../config/env.js';
import { aWallet, type Wallet } from '../identity/testing/wallet.js';
import { profileOf } from '../testing/stage-worker.js';
import { StillClock } from '../trail/testing/still-clock.js';
import { Handshake, type Challenge } from './handshake.js';

type Login = Extract<FromWorker, { type: 'login' }>;

const clock = new StillClock();
const config = { network: 'testnet', audience: 'tidemill.test' } as Config; // what a handshake reads of it
const handshake = new Handshake(config, clock, nodeVerifier());

/** The login by which a worker answers a challenge honestly, but for `says` in the text it signs. */
function answer(challenge: Challenge, key: Wallet, says: object = {}): Login {
  const { audience, network, nonce, issuedAt, expiresAt } = challenge;
  const publicKey = key.address;
  const text = {
    purpose: 'worker',
    audience,
    network,
    publicKey,
    nonce,
    issuedAt,
    expiresAt,
  } as const;
  return {
    type: 'login',
    versions: [1],
    publicKey,
    nonce,
    signature: encodeBase58(key.sign(loginText({ ...text, ...says }))),
    profile: profileOf('pool'),
    holding: [],
  };
}
const refused = { ok: false, close: CLOSE.unauthenticated };

test('a key that signs this socket’s challenge is let in', () => {
  const challenge = handshake.challenge();
  expect(handshake.check(challenge, answer(challenge, aWallet()))).toEqual({
    ok: true,
    version: 1,
  });
});

test('every challenge is another, and says for whom and how long it is', () => {
  const [one, other] = [handshake.challenge(), handshake.challenge()];
  expect(one.nonce).not.toBe(other.nonce);
  expect(one).toMatchObject({ network: 'testnet', audience: 'tidemill.test', versions: [2, 1] });
  expect(Date.parse(one.expiresAt) - Date.parse(one.issuedAt)).toBe(LOGIN_NONCE_TTL_MS);
});

test('the answer to another socket’s challenge is refused', () => {
  const [mine, theirs] = [handshake.challenge(), handshake.challenge()];
  const key = aWallet();
  expect(handshake.check(mine, answer(theirs, key))).toEqual(refused);
  expect(handshake.check(mine, { ...answer(theirs, key), nonce: mine.nonce })).toEqual(refused);
});

test('an answer that comes too late is refused', () => {
  const challenge = handshake.challenge();
  const login = answer(challenge, aWallet());
  clock.atMs += LOGIN_NONCE_TTL_MS - 1;
  expect(handshake.check(challenge, login)).toMatchObject({ ok: true });
  clock.atMs += 1;
  expect(handshake.check(challenge, login)).toEqual(refused);
});

test('a signature by another key is refused', () => {
  const challenge = handshake.challenge();
  const login = answer(challenge, aWallet());
  expect(handshake.check(challenge, { ...login, publicKey: aWallet().address })).toEqual(refused);
});

test.each([
  ['purpose', 'submitter'],
  ['audience', 'elsewhere.test'],
  ['network', 'mainnet'],
  ['issuedAt', '2030-01-01T00:00:00.000Z'],
  ['expiresAt', '2130-01-01T00:00:00.000Z'],
])('a signature over another %s is refused', (member, value) => {
  const challenge = handshake.challenge();
  const login = answer(challenge, aWallet(), { [member]: value });
  expect(handshake.check(challenge, login)).toEqual(refused);
});

test('the signature of a submitter’s login opens no worker’s session', () => {
  const challenge = handshake.challenge();
  const key = aWallet();
  const login = answer(challenge, key);
  const signature = encodeBase58(key.sign(challenge.nonce));
  expect(handshake.check(challenge, { ...login, signature })).toEqual(refused);
});

test('a key of small order, whose signatures anybody makes, is refused', () => {
  const challenge = handshake.challenge();
  const neutral = new Uint8Array(32);
  neutral[0] = 1;
  // With this key R = the neutral point and S = 0 verify for every text.
  const signature = new Uint8Array(64);
  signature[0] = 1;
  const login = {
    ...answer(challenge, aWallet()),
    publicKey: encodeBase58(neutral),
    signature: encodeBase58(signature),
  };
  expect(handshake.check(challenge, login)).toEqual(refused);
});

test('text that is no key or no signature is refused', () => {
  const challenge = handshake.challenge();
  const login = answer(challenge, aWallet());
  for (const wrong of [
    { publicKey: '0OIl' },
    { signature: '0OIl' },
    { signature: '1' },
    { publicKey: '1' },
  ])
    expect(handshake.check(challenge, { ...login, ...wrong })).toEqual(refused);
  expect(utf8ToBytes(login.signature).length).toBeGreaterThan(60);
});

test('an operator counts only if it has vouched for this worker’s key', () => {
  const [key, operator] = [aWallet(), aWallet()];
  const vouching = (by: Wallet, workerKey: string) => {
    const challenge = handshake.challenge();
    const login = answer(challenge, key);
    const signature = encodeBase58(by.sign(`tidemill/operator/1\n${workerKey}`));
    const profile = { ...login.profile, operator: { publicKey: operator.address, signature } };
    return handshake.check(challenge, { ...login, profile });
  };
  expect(vouching(operator, key.address)).toMatchObject({ ok: true });
  expect(vouching(operator, aWallet().address)).toEqual(refused);
  expect(vouching(key, key.address)).toEqual(refused);
});

test('a worker that speaks none of our versions is told so', () => {
  const challenge = handshake.challenge();
  const login = { ...answer(challenge, aWallet()), versions: [99] };
  expect(handshake.check(challenge, login)).toEqual({ ok: false, close: CLOSE.versionMismatch });
});
