import { encodeBase58, utf8ToBytes } from '@tidemill/protocol';
import { type Api, bodyOf } from './api.js';
import { checkChallenge } from './challenge.js';
import type { Clock } from './clock.js';
import type { Credentials } from './transport.js';

/** A key that signs login messages: an ed25519 key pair, such as a Solana wallet's. */
export interface LoginSigner {
  /** The public key in base58. */
  readonly address: string;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A short-lived right to act for an account. */
export interface Login {
  readonly token: string;
  readonly expiresAt: string;
  readonly accountId: string;
}

/** Proves that the signer holds its key and gets a token for it; refuses to sign anything but a login at `audience`. */
export async function logIn(api: Api, signer: LoginSigner, audience: string): Promise<Login> {
  const publicKey = signer.address;
  const challenge = bodyOf(await api.POST('/v1/auth/challenge', { body: { publicKey } }));
  checkChallenge(challenge.message, { publicKey, audience, nonce: challenge.nonce });
  const signature = encodeBase58(await signer.sign(utf8ToBytes(challenge.message)));
  return bodyOf(
    await api.POST('/v1/auth/login', { body: { publicKey, nonce: challenge.nonce, signature } }),
  );
}

/** A token this close to its end is replaced before it is used. */
const SPARE_MS = 60_000;

/** Logs in when it is first needed and again when the token runs out; callers at the same time share one login. */
export class SignerCredentials implements Credentials {
  private current: Promise<Login> | null;

  /** `first` is a login from before, used as long as it is good. */
  constructor(
    private readonly login: () => Promise<Login>,
    private readonly clock: Clock,
    first?: Login,
  ) {
    this.current = first === undefined ? null : Promise.resolve(first);
  }

  async header(): Promise<string> {
    const kept = await this.kept();
    const usable = kept !== null && Date.parse(kept.expiresAt) - SPARE_MS > this.clock.nowMs();
    const { token } = usable ? kept : await this.replace();
    return `Bearer ${token}`;
  }

  async renew(): Promise<boolean> {
    await this.replace();
    return true;
  }

  private async kept(): Promise<Login | null> {
    try {
      return await this.current;
    } catch {
      return null; // That login failed for whoever asked for it; this caller makes its own.
    }
  }

  private replace(): Promise<Login> {
    this.current = this.login();
    return this.current;
  }
}
