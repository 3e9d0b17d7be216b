import { z } from 'zod';
import { PublicKeyText, SignatureText } from './digest.js';

/** A nonce is good for one login within this time (G21). */
export const LOGIN_NONCE_TTL_MS = 60_000;

/** The random text of a challenge. */
export const Nonce = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Who logs in, and so what the signature is good for. */
export const LOGIN_PURPOSES = ['submitter', 'worker'] as const;
export type LoginPurpose = (typeof LOGIN_PURPOSES)[number];

/** Everything a login message says. The audience is the orchestrator's public host. */
export interface LoginMessage {
  readonly purpose: LoginPurpose;
  readonly audience: string;
  readonly network: string;
  readonly publicKey: string;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
}

const STATEMENTS: Record<LoginPurpose, string> = {
  submitter: 'Sign in to Tidemill to submit and see your jobs. This moves no money.',
  worker: 'Join Tidemill as a worker with this key. This moves no money.',
};

/**
 * The text that is signed to log in, in the layout of Sign-In-With-Solana (which follows EIP-4361). The domain tag stands in the
 * Resources line; the purpose is both in the statement and there, so a submitter's signature is not a worker's.
 */
export function loginText(message: LoginMessage): string {
  return [
    `${message.audience} wants you to sign in with your Solana account:`,
    message.publicKey,
    '',
    STATEMENTS[message.purpose],
    '',
    `URI: https://${message.audience}`,
    'Version: 1',
    `Chain ID: ${message.network}`,
    `Nonce: ${message.nonce}`,
    `Issued At: ${message.issuedAt}`,
    `Expiration Time: ${message.expiresAt}`,
    'Resources:',
    `- tidemill/login/1/${message.purpose}`,
  ].join('\n');
}

export const LoginChallengeRequest = z
  .strictObject({ publicKey: PublicKeyText })
  .meta({ id: 'LoginChallengeRequest' });

export const LoginChallenge = z
  .object({ message: z.string(), nonce: z.string(), expiresAt: z.iso.datetime() })
  .meta({
    id: 'LoginChallenge',
    description: 'Sign the UTF-8 bytes of message with the key, within a minute, once.',
  });
export type LoginChallenge = z.infer<typeof LoginChallenge>;

export const LoginRequest = z
  .strictObject({ publicKey: PublicKeyText, nonce: Nonce, signature: SignatureText })
  .meta({ id: 'LoginRequest' });

export const LoginResult = z
  .object({ token: z.string(), expiresAt: z.iso.datetime(), accountId: z.string() })
  .meta({ id: 'LoginResult' });
export type LoginResult = z.infer<typeof LoginResult>;
