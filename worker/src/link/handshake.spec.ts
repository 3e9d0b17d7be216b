import { decodeBase58, loginText, utf8ToBytes } from '@tidemill/protocol';
import { nodeVerifier } from '@tidemill/protocol/node';
import { describe, expect, test } from 'vitest';
import { aProfile } from '../testing/builders.js';
import { testSigner } from '../testing/test-signer.js';
import { answerChallenge, type Challenge } from './handshake.js';

const challenge: Challenge = {
  type: 'challenge',
  versions: [2, 1],
  network: 'testnet',
  audience: 'tidemill.example',
  nonce: 'nonce-of-the-day',
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:01:00.000Z',
};
const signer = testSigner();
const says = { profile: aProfile(), holding: [] };

const answer = (about: Partial<Challenge>, network: string | null = null) =>
  answerChallenge(
    { ...challenge, ...about },
    { audience: 'tidemill.example', network },
    signer,
    says,
  );

describe('a challenge', () => {
  test('of an orchestrator that does not know operators is answered without one', () => {
    const operator = { publicKey: signer.address, signature: '1'.repeat(64) };
    const owned = { ...says, profile: { ...says.profile, operator } };
    const login = (versions: number[]) => {
      const to = { audience: 'tidemill.example', network: null };
      const result = answerChallenge({ ...challenge, versions }, to, signer, owned);
      return result.ok ? result.login : null;
    };
    expect(login([2, 1])?.profile.operator).toEqual(operator);
    expect(login([1])?.profile).toEqual(says.profile);
  });

  test('is answered by a signature over its text and nothing else', () => {
    const { nonce, audience, network, issuedAt, expiresAt } = challenge;
    const result = answer({});
    if (!result.ok) throw new Error(result.reason);
    const text = loginText({
      purpose: 'worker',
      audience,
      network,
      publicKey: signer.address,
      nonce,
      issuedAt,
      expiresAt,
    });
    const signature = decodeBase58(result.login.signature) ?? new Uint8Array();
    expect(nodeVerifier()(signer.publicKey, utf8ToBytes(text), signature)).toBe(true);
    expect(result.login).toMatchObject({
      publicKey: signer.address,
      nonce,
      versions: [2, 1],
      ...says,
    });
  });

  test.each([
    ['of another host', { audience: 'evil.example' }, 'foreign_audience'],
    ['of another port', { audience: 'tidemill.example:444' }, 'foreign_audience'],
    ['of no version we speak', { versions: [99] }, 'version_mismatch'],
    [
      'whose nonce breaks its line',
      { nonce: 'nonce\nURI: https://evil.example' },
      'malformed_challenge',
    ],
    ['whose network breaks its line', { network: 'a\nb' }, 'malformed_challenge'],
    ['whose nonce is too short to be one', { nonce: 'short' }, 'malformed_challenge'],
    [
      'whose time breaks its line',
      { issuedAt: '2026-01-01T00:00:00.000Z\nx' },
      'malformed_challenge',
    ],
    [
      'that would be good for a year',
      { expiresAt: '2027-01-01T00:00:00.000Z' },
      'malformed_challenge',
    ],
    [
      'that ended before it began',
      { expiresAt: '2025-01-01T00:00:00.000Z' },
      'malformed_challenge',
    ],
    ['without a time', { issuedAt: 'now' }, 'malformed_challenge'],
  ])('%s is not signed', (_, about, reason) => {
    expect(answer(about)).toMatchObject({ ok: false, reason });
  });

  test('of another network is not signed when the network is known', () => {
    expect(answer({}, 'testnet')).toMatchObject({ ok: true });
    expect(answer({}, 'mainnet')).toMatchObject({ ok: false, reason: 'foreign_network' });
  });
});
