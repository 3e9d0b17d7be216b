import { Inject, Injectable } from '@nestjs/common';
import { utf8ToBytes, WorkerId } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Clock } from '../platform/clock.js';
import { Authenticators, type Caller } from '../platform/http/caller.js';
import { Suspensions } from './suspensions.js';
import { SIGNER } from '../platform/platform.module.js';

/** A worker gets a new token with every login; sessions of a week are rare. */
const TTL_MS = 7 * 24 * 3_600_000;
const PREFIX = 'tmw_';

/** Bearer tokens with which workers move artifacts. Any replica can check them, since the key follows from the operator's. */
@Injectable()
export class WorkerTokens {
  private readonly key: Buffer;

  constructor(
    @Inject(SIGNER) signer: Signer,
    private readonly clock: Clock,
    authenticators: Authenticators,
    private readonly suspensions: Suspensions,
  ) {
    this.key = createHash('sha256')
      .update(signer.sign(utf8ToBytes('tidemill/worker-token-key/1\n')))
      .digest();
    authenticators.add(PREFIX, (token) => this.check(token));
  }

  issue(workerId: WorkerId): string {
    const body = `${workerId}.${this.clock.nowMs() + TTL_MS}`;
    return `${PREFIX}${body}.${this.mac(body)}`;
  }

  private check(token: string): Caller | null {
    const match = /^tmw_((wrk_[0-9a-z]{26})\.(\d{13}))\.([A-Za-z0-9_-]{43})$/.exec(token);
    if (match === null) return null;
    const [, body = '', id, until, mac = ''] = match;
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(this.mac(body)))) return null;
    if (Number(until) < this.clock.nowMs()) return null;
    const workerId = WorkerId.safeParse(id);
    return workerId.success && !this.suspensions.has(workerId.data)
      ? { kind: 'worker', workerId: workerId.data }
      : null;
  }

  private mac(body: string): string {
    return createHmac('sha256', this.key).update(body).digest('base64url');
  }
}
