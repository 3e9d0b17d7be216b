import type { WorkerId } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Authenticators } from '../platform/http/caller.js';
import { StillClock } from '../trail/testing/still-clock.js';
import type { Suspensions } from './suspensions.js';
import { WorkerTokens } from './worker-tokens.js';

const id = 'wrk_01890a5d000000000000000001' as WorkerId;
const DAY_MS = 24 * 3_600_000;

/** Tokens of an operator with this secret, and who a token belongs to. */
function tokensOf(
  secret: string,
  clock = new StillClock(),
  suspended: ReadonlySet<WorkerId> = new Set(),
) {
  const signer = {
    sign: (bytes: Uint8Array) => createHash('sha512').update(secret).update(bytes).digest(),
  } as unknown as Signer; // all that is asked of it
  const authenticators = new Authenticators();
  const tokens = new WorkerTokens(
    signer,
    clock,
    authenticators,
    suspended as unknown as Suspensions, // all that is asked of it is `has`
  );
  return { tokens, clock, identify: (token: string) => authenticators.identify(token) };
}

test('a token is its worker’s', async () => {
  const { tokens, identify } = tokensOf('secret');
  expect(await identify(tokens.issue(id))).toEqual({ kind: 'worker', workerId: id });
});

test('every replica of the operator knows it, and no other operator does', async () => {
  const token = tokensOf('secret').tokens.issue(id);
  expect(await tokensOf('secret').identify(token)).toEqual({ kind: 'worker', workerId: id });
  expect(await tokensOf('another').identify(token)).toBeNull();
});

test('it opens nothing once its worker is suspended', async () => {
  const token = tokensOf('secret').tokens.issue(id);
  expect(await tokensOf('secret', new StillClock(), new Set([id])).identify(token)).toBeNull();
});

test('it ends after a week', async () => {
  const { tokens, clock, identify } = tokensOf('secret');
  const token = tokens.issue(id);
  clock.atMs += 7 * DAY_MS;
  expect(await identify(token)).not.toBeNull();
  clock.atMs += 1;
  expect(await identify(token)).toBeNull();
});

test('nothing of it can be changed', async () => {
  const { tokens, identify } = tokensOf('secret');
  const token = tokens.issue(id);
  const [start = '', until = '', mac = ''] = token.split('.');
  const later = String(Number(until) + 1);
  const other = start.replace(/.$/, (last) => (last === '1' ? '2' : '1'));
  const wrong = [
    `${other}.${until}.${mac}`,
    `${start}.${later}.${mac}`,
    `${start}.${until}.${mac.slice(0, -1)}`,
    `${start}.${until}.${'A'.repeat(43)}`,
    `${start}.${until}.${mac}.${mac}`,
    `${start}.${until}`,
    `${token}\n`,
    ` ${token}`,
    token.toUpperCase(),
    'tmw_',
    '',
  ];
  for (const text of wrong) expect([text, await identify(text)]).toEqual([text, null]);
});
