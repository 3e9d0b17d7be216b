import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { Config } from '../../config/env.js';
import { Clock } from '../clock.js';
import type { Caller } from '../http/caller.js';
import { ProblemError } from '../http/problem.js';
import { Peers } from './peers.js';
import { TokenBuckets } from './token-buckets.js';

/** A burst is what its rate allows in so many seconds: a page that opens, a trail that is verified. */
const BURST_S = 10;
/** Strangers of one network share this part of an account's rate. */
const STRANGERS_SHARE = 0.5;
/** What tells a supervisor that the process lives must not fail because others ask too much. */
const EXEMPT = new Set(['/livez']);

/**
 * How often the API may be asked (G6, G20). Before anything is read of a request its network pays for it, so that guessing tokens is
 * limited as well; once the caller is known the account or worker pays instead, and the network has its token back.
 */
@Injectable()
export class RateLimits {
  private readonly strangers: TokenBuckets;
  private readonly callers: TokenBuckets;

  constructor(
    config: Config,
    private readonly peers: Peers,
    private readonly clock: Clock,
  ) {
    const { requestsPerSecond: rate } = config;
    const strangers = rate * STRANGERS_SHARE;
    this.strangers = new TokenBuckets({ perSecond: strangers, burst: strangers * BURST_S });
    this.callers = new TokenBuckets({ perSecond: rate, burst: rate * BURST_S });
  }

  /** Middleware, before any that reads a body. */
  readonly beforeReading = (request: Request, _response: Response, next: NextFunction): void => {
    if (EXEMPT.has(request.path)) {
      next();
      return;
    }
    const waitMs = this.strangers.take(this.peers.networkOf(request), this.clock.monotonicMs());
    next(waitMs > 0 ? tooMany('from this address', waitMs) : undefined);
  };

  /**
   * Has the caller pay instead of its network. One that asks too much has its network pay as well, so that a flood is soon refused
   * before its bodies are read. @throws ProblemError RATE_LIMITED with the seconds to wait
   */
  charge(caller: Caller, request: Request): void {
    const name = caller.kind === 'account' ? caller.accountId : caller.workerId;
    const waitMs = this.callers.take(name, this.clock.monotonicMs());
    if (waitMs > 0) throw tooMany(`of this ${caller.kind}`, waitMs);
    this.strangers.giveBack(this.peers.networkOf(request));
  }
}

function tooMany(whose: string, waitMs: number): ProblemError {
  return new ProblemError('RATE_LIMITED', `The requests ${whose} come too fast.`, {
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
  });
}
