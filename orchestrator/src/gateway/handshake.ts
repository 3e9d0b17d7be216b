import { Inject, Injectable } from '@nestjs/common';
import {
  agreeOnVersion,
  CLOSE,
  decodeBase58,
  isPlausiblePublicKey,
  LOGIN_NONCE_TTL_MS,
  loginText,
  PROTOCOL_VERSIONS,
  utf8ToBytes,
  type FromOrchestrator,
  type FromWorker,
  type ProtocolVersion,
  type VerifySignature,
} from '@tidemill/protocol';
import { randomBytes } from 'node:crypto';
import { Config } from '../config/env.js';
import { Clock } from '../platform/clock.js';
import { isVouchedFor } from '../fleet/operator.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';

const NONCE_BYTES = 24;

type Login = Extract<FromWorker, { type: 'login' }>;
export type Challenge = Extract<FromOrchestrator, { type: 'challenge' }>;
export type Proven =
  | { readonly ok: true; readonly version: ProtocolVersion }
  | { readonly ok: false; readonly close: (typeof CLOSE)[keyof typeof CLOSE] };

/** Makes a worker prove that it holds its key, on this socket, now. */
@Injectable()
export class Handshake {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
  ) {}

  challenge(): Challenge {
    const nowMs = this.clock.nowMs();
    return {
      type: 'challenge',
      versions: [...PROTOCOL_VERSIONS],
      network: this.config.network,
      audience: this.config.audience,
      nonce: randomBytes(NONCE_BYTES).toString('base64url'),
      issuedAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + LOGIN_NONCE_TTL_MS).toISOString(),
    };
  }

  /** Whether the login answers this socket's own challenge. The challenge is used up either way: the caller asks once. */
  check(challenge: Challenge, login: Login): Proven {
    const version = agreeOnVersion(login.versions);
    if (version === null) return { ok: false, close: CLOSE.versionMismatch };
    const publicKey = decodeBase58(login.publicKey);
    const signature = decodeBase58(login.signature);
    const { network, audience, nonce, issuedAt, expiresAt } = challenge;
    const inTime = this.clock.nowMs() < Date.parse(expiresAt);
    if (publicKey === null || signature === null || !inTime || login.nonce !== nonce) {
      return { ok: false, close: CLOSE.unauthenticated };
    }
    const text = loginText({
      purpose: 'worker',
      audience,
      network,
      publicKey: login.publicKey,
      nonce,
      issuedAt,
      expiresAt,
    });
    const { operator } = login.profile;
    // Whether the key is sound as well costs much more: it is asked when the worker is new.
    return isPlausiblePublicKey(publicKey) &&
      this.verify(publicKey, utf8ToBytes(text), signature) &&
      (operator === undefined || isVouchedFor(operator, login.publicKey, this.verify))
      ? { ok: true, version }
      : { ok: false, close: CLOSE.unauthenticated };
  }
}
