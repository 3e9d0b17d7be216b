import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AccountView,
  encodeBase58,
  type LoginChallenge,
  type LoginResult,
  utf8ToBytes,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { OrchestratorAddress } from '../workers/orchestrator-address.js';

/** The orchestrator's HTTP API, as one wallet. Plain data goes along to other processes. */
export interface Session {
  readonly orchestrator: OrchestratorAddress;
  readonly token: string;
}

interface RequestOptions {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

const REQUEST_DEADLINE_MS = 60_000;
/** An orchestrator that says "later" so often is not going to take it. */
const MAX_TRIES = 50;

/** One request; asked to wait, it waits and tries again. @throws Error with the problem's text for any other refusal */
export async function request<T>(
  {
    orchestrator,
    token,
  }: Session | { readonly orchestrator: OrchestratorAddress; readonly token: null },
  method: 'GET' | 'POST',
  path: string,
  { body, idempotencyKey }: RequestOptions = {},
): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(orchestrator.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
    });
    if (response.ok) return (await response.json()) as T;
    const problem = await response.text();
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    if (!(retryAfter >= 0) || tries === MAX_TRIES) {
      throw new Error(`${method} ${path} answered ${response.status}: ${problem}`);
    }
    await sleep(retryAfter * 1000);
  }
}

/** Logs a wallet in by signing the challenge. */
export async function logIn(orchestrator: OrchestratorAddress, wallet: Signer): Promise<Session> {
  const publicKey = wallet.address;
  const anyone = { orchestrator, token: null };
  const challenge = await request<LoginChallenge>(anyone, 'POST', '/v1/auth/challenge', {
    body: { publicKey },
  });
  const signature = encodeBase58(wallet.sign(utf8ToBytes(challenge.message)));
  const login = { publicKey, nonce: challenge.nonce, signature };
  const { token } = await request<LoginResult>(anyone, 'POST', '/v1/auth/login', { body: login });
  return { orchestrator, token };
}

/** Gives a wallet credit, in whole tokens. */
export async function grantCredit(admin: Session, wallet: string, tokens: number): Promise<void> {
  await request(admin, 'POST', '/v1/admin/credit', {
    body: { wallet, amount: String(tokens), ref: `bench-${wallet.slice(0, 16)}` },
  });
}

/** Balance and holds of the session's wallet. */
export function account(session: Session): Promise<AccountView> {
  return request(session, 'GET', '/v1/account');
}
