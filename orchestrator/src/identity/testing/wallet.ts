import { encodeBase58, utf8ToBytes, type LoginChallenge } from '@tidemill/protocol';
import { generateKeyPairSync, sign } from 'node:crypto';
import type { StageHost } from './stage-host.js';

/** A key pair that signs texts, as a submitter's wallet does. */
export interface Wallet {
  readonly address: string;
  sign(text: string): Uint8Array;
}

export function aWallet(): Wallet {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const address = encodeBase58(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  return { address, sign: (text) => sign(null, utf8ToBytes(text), privateKey) };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, or null when there was no body. */
  readonly body: any; // what comes back is for the test to assert
}

/** One JSON request, as a client would send it. */
export async function call(
  host: StageHost,
  method: string,
  path: string,
  { token, body }: { token?: string; body?: unknown } = {},
): Promise<Answer> {
  const response = await fetch(`${host.url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : JSON.parse(text),
  };
}

export async function challengeFor(host: StageHost, wallet: Wallet): Promise<LoginChallenge> {
  const { status, body } = await call(host, 'POST', '/v1/auth/challenge', {
    body: { publicKey: wallet.address },
  });
  if (status !== 201) throw new Error(`no challenge: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Logs the wallet in and returns its token and account. */
export async function login(
  host: StageHost,
  wallet: Wallet,
): Promise<{ token: string; accountId: string; expiresAt: string }> {
  const { nonce, message } = await challengeFor(host, wallet);
  const signature = encodeBase58(wallet.sign(message));
  const { status, body } = await call(host, 'POST', '/v1/auth/login', {
    body: { publicKey: wallet.address, nonce, signature },
  });
  if (status !== 201) throw new Error(`no login: ${status} ${JSON.stringify(body)}`);
  return body;
}
