import { type LoginMessage, loginText } from '@tidemill/protocol';
import { TidemillError } from './tidemill-error.js';

/**
 * Checks that a challenge asks for what it should: a submitter's login with this key, at this audience, and not a word more. Whoever
 * signs any text a server sends can be made to log in elsewhere, or to sign something else altogether.
 * @throws TidemillError CHALLENGE_REFUSED
 */
export function checkChallenge(
  message: string,
  expected: { readonly publicKey: string; readonly audience: string; readonly nonce: string },
): void {
  const said = readMessage(message, expected.publicKey);
  if (said === null || loginText(said) !== message || said.nonce !== expected.nonce) {
    throw refused('The orchestrator sent something else than a login message to sign.');
  }
  if (said.audience !== expected.audience) {
    throw refused(
      `The login message is for ${said.audience}, but the orchestrator was asked as ${expected.audience}.`,
    );
  }
}

function readMessage(message: string, publicKey: string): LoginMessage | null {
  const lines = message.split('\n');
  const suffix = ' wants you to sign in with your Solana account:';
  const first = lines[0] ?? '';
  if (!first.endsWith(suffix)) return null;
  const field = (name: string) =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  return {
    purpose: 'submitter',
    audience: first.slice(0, -suffix.length),
    network: field('Chain ID'),
    publicKey,
    nonce: field('Nonce'),
    issuedAt: field('Issued At'),
    expiresAt: field('Expiration Time'),
  };
}

const refused = (detail: string) =>
  new TidemillError({
    code: 'CHALLENGE_REFUSED',
    status: null,
    title: 'Nothing was signed',
    detail,
    next: 'Use the address that the message names, if you trust it; otherwise do not log in there.',
  });
