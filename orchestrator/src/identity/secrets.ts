import { hash, randomBytes } from 'node:crypto';

/** Prefixes of what a submitter may send as a bearer token; scanners for leaked secrets find them by these. */
export const LOGIN_TOKEN_PREFIX = 'tml_';
export const API_KEY_PREFIX = 'tmk_';

const SECRET_BYTES = 32;
const NONCE_BYTES = 24;
/** Characters of a key that are kept to recognise it by: 36 of its 256 bits. */
const SHOWN_CHARACTERS = API_KEY_PREFIX.length + 6;
const FORM = new RegExp(`^(${LOGIN_TOKEN_PREFIX}|${API_KEY_PREFIX})[A-Za-z0-9_-]{43}$`);

/** Secrets nobody can guess, as a port: a test or simulator gives its own. */
export abstract class Secrets {
  /** A token of 256 random bits behind its prefix. */
  abstract token(prefix: string): string;
  /** A number used once, of 192 random bits. */
  abstract nonce(): string;
}

export class RandomSecrets extends Secrets {
  token(prefix: string): string {
    return `${prefix}${randomBytes(SECRET_BYTES).toString('base64url')}`;
  }

  nonce(): string {
    // Hexadecimal, since Sign-In-With-Solana takes letters and digits only.
    return randomBytes(NONCE_BYTES).toString('hex');
  }
}

/** Whether a text can be one of our tokens at all; anything else is not worth a question to the database. */
export const isTokenForm = (token: string): boolean => FORM.test(token);

/**
 * What is kept of a token. It has 256 random bits, so a plain hash cannot be searched, and looking a hash up leaks no
 * time that would help to guess the token.
 */
export const tokenHash = (token: string): Buffer => hash('sha256', token, 'buffer');

/** The first characters of a key, to recognise it by. */
export const shownPrefix = (key: string): string => key.slice(0, SHOWN_CHARACTERS);
