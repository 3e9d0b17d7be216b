import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { nodeVerifier } from '../node/node-crypto.js';
import { decodeBase58, encodeBase58 } from './base58.js';
import { utf8ToBytes } from './crypto.js';
import { LoginRequest, loginText, type LoginMessage } from './login.js';

interface Vectors {
  readonly logins: readonly { message: LoginMessage; text: string; signature: string }[];
}

// The file is ours and the tests below would fail on any other shape.
const { logins } = JSON.parse(
  readFileSync(new URL('../vectors/login.json', import.meta.url), 'utf8'),
) as Vectors;
const SEED = new Uint8Array(32).fill(1);
const verify = nodeVerifier();
const key = ed25519.getPublicKey(SEED);

const message: LoginMessage = {
  purpose: 'submitter',
  audience: 'orchestrator.example',
  network: 'tidemill:localnet',
  publicKey: encodeBase58(key),
  nonce: 'q6Ajt8yPtk2u1hFx-_0aZb3cD4eF5gH6',
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:01:00.000Z',
};

test('a login has the layout of Sign-In-With-Solana, line by line', () => {
  expect(loginText(message).split('\n')).toEqual([
    'orchestrator.example wants you to sign in with your Solana account:',
    'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9',
    '',
    'Sign in to Tidemill to submit and see your jobs. This moves no money.',
    '',
    'URI: https://orchestrator.example',
    'Version: 1',
    'Chain ID: tidemill:localnet',
    'Nonce: q6Ajt8yPtk2u1hFx-_0aZb3cD4eF5gH6',
    'Issued At: 2026-01-01T00:00:00.000Z',
    'Expiration Time: 2026-01-01T00:01:00.000Z',
    'Resources:',
    '- tidemill/login/1/submitter',
  ]);
});

test.each(logins)(
  'the vector for $message.purpose at $message.audience is spelled and signed so',
  ({ message: one, text, signature }) => {
    expect(loginText(one)).toBe(text);
    expect(encodeBase58(ed25519.sign(utf8ToBytes(text), SEED))).toBe(signature);
    expect(verify(key, utf8ToBytes(text), decodeBase58(signature) ?? new Uint8Array())).toBe(true);
  },
);

describe('a signature for one login is not one for', () => {
  const changes: readonly (readonly [string, Partial<LoginMessage>])[] = [
    ['another purpose', { purpose: 'worker' }],
    ['another audience', { audience: 'orchestrator.example.evil.example' }],
    ['another network', { network: 'solana:mainnet' }],
    ['another key', { publicKey: '1'.repeat(32) }],
    ['another nonce', { nonce: 'r6Ajt8yPtk2u1hFx-_0aZb3cD4eF5gH6' }],
    ['another time', { issuedAt: '2026-01-01T00:00:00.001Z' }],
    ['a later end', { expiresAt: '2026-01-01T01:00:00.000Z' }],
  ];
  test.each(changes)('%s', (_, change) => {
    const signature = ed25519.sign(utf8ToBytes(loginText(message)), SEED);
    const other = loginText({ ...message, ...change });
    expect(other).not.toBe(loginText(message));
    expect(verify(key, utf8ToBytes(other), signature)).toBe(false);
  });
});

test.each(['', 'n'.repeat(65), 'a b', 'a\nb', 'nul\u0000', 'ä'])(
  'the nonce %j is refused before anybody looks for it',
  (nonce) => {
    const request = { publicKey: message.publicKey, nonce, signature: '5'.repeat(88) };
    expect(LoginRequest.safeParse({ ...request, nonce: message.nonce }).success).toBe(true);
    expect(LoginRequest.safeParse(request).success).toBe(false);
  },
);
