import { Inject, Injectable } from '@nestjs/common';
import {
  decodeBase58,
  LOGIN_NONCE_TTL_MS,
  loginText,
  utf8ToBytes,
  type AccountId,
  type LoginChallenge,
  type VerifySignature,
} from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { Db } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { ProblemError } from '../platform/http/problem.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { Directory, soundKey } from './directory.js';
import { IdentityStore } from './identity.store.js';
import { LOGIN_TOKEN_PREFIX, Secrets, tokenHash } from './secrets.js';

/** How long the token of a login is good for. */
export const LOGIN_TTL_MS = 12 * 3_600_000;
/** Most messages of one wallet that wait for a signature; a newer one replaces the oldest, so nobody is locked out. */
export const MAX_CHALLENGES_OF_WALLET = 32;

export interface LoginRequest {
  readonly publicKey: string;
  readonly nonce: string;
  readonly signature: string;
}

/** A wallet proves itself by signing a message of ours, once and within a minute, and gets a token. */
@Injectable()
export class LoginService {
  constructor(
    private readonly store: IdentityStore,
    private readonly directory: Directory,
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly secrets: Secrets,
    private readonly trail: TrailWriter,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
  ) {}

  /** The message to sign. @throws ProblemError KEY_UNSOUND */
  async challenge(wallet: string): Promise<LoginChallenge> {
    soundKey(wallet, 'little'); // all of it when the account is made
    const issuedAt = new Date(this.clock.nowMs());
    const expiresAt = new Date(issuedAt.getTime() + LOGIN_NONCE_TTL_MS);
    const nonce = this.secrets.nonce();
    const message = loginText({
      purpose: 'submitter',
      audience: this.config.audience,
      network: this.config.network,
      publicKey: wallet,
      nonce,
      issuedAt: issuedAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    });
    const challenge = { nonce, wallet, message, issuedAt, expiresAt };
    await this.store.addChallenge(challenge, MAX_CHALLENGES_OF_WALLET);
    faultPoint('identity.challenge.after-commit');
    return { message, nonce, expiresAt: expiresAt.toISOString() };
  }

  /** Exchanges a signed message for a token. Whatever is wrong, the nonce is used up. @throws ProblemError LOGIN_REFUSED, KEY_UNSOUND */
  async login(
    request: LoginRequest,
  ): Promise<{ token: string; expiresAt: string; accountId: AccountId }> {
    await this.refuseUnlessProven(request);
    const createdAt = new Date(this.clock.nowMs());
    const expiresAt = new Date(createdAt.getTime() + LOGIN_TTL_MS);
    const token = this.secrets.token(LOGIN_TOKEN_PREFIX);
    const accountId = await this.db.transaction(async (tx) => {
      const account = await this.directory.ensureAccount(tx, request.publicKey);
      await this.store.addLogin(tx, {
        hash: tokenHash(token),
        accountId: account,
        createdAt,
        expiresAt,
      });
      const body = {
        admin: this.config.adminWallets.includes(request.publicKey),
        expiresAt: expiresAt.toISOString(),
      };
      await this.trail.append(tx, [{ kind: 'account.login', subject: account, body }]);
      faultPoint('identity.login.before-commit');
      return account;
    });
    faultPoint('identity.login.after-commit');
    return { token, expiresAt: expiresAt.toISOString(), accountId };
  }

  private async refuseUnlessProven({ publicKey, nonce, signature }: LoginRequest): Promise<void> {
    const challenge = await this.store.takeChallenge(nonce);
    const key = decodeBase58(publicKey);
    const proof = decodeBase58(signature);
    const proven =
      challenge !== null &&
      challenge.wallet === publicKey &&
      challenge.expiresAt.getTime() > this.clock.nowMs() &&
      key !== null &&
      proof !== null &&
      this.verify(key, utf8ToBytes(challenge.message), proof);
    // One answer for every reason: which one it was helps only those who guess.
    if (!proven) {
      throw new ProblemError(
        'LOGIN_REFUSED',
        'The nonce is unknown, used or expired, or the signature is not this key’s over the message.',
      );
    }
  }
}
