import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { AccountId, JobId } from '@tidemill/protocol';
import type { Request, Response } from 'express';
import { drained } from '../platform/http/drained.js';
import { ProblemError } from '../platform/http/problem.js';
import { Wakeups } from '../platform/wakeups.js';
import { JobEvents } from './job-events.js';
import { JobViews } from './job-views.js';

/** At most this often is a stream's job read, however often it changes. */
const MIN_GAP_MS = 200;
/** And at least this often, so that nothing depends on a wake-up. */
const SWEEP_MS = 1_000;
/** A comment keeps proxies from closing a quiet stream. */
const KEEP_ALIVE_MS = 15_000;
/** A transaction may commit this long after the moment it writes down; events are looked for again so far back. */
const LATE_MICROS = 5_000_000n;
/** Streams one process serves; each costs a query a second. */
const MAX_STREAMS = 1_000;
/** And one account's part of them: a page for each of its running jobs. */
const MAX_STREAMS_OF_ACCOUNT = 100;
const RETRY_AFTER_S = 5;

/** A job's bill follows its end within a second; a stream waits for it no longer than this. */
const MAX_WAIT_FOR_BILL_MS = 30_000;

/** Streams a job's events to one client until the job is settled or the client leaves. */
@Injectable()
export class EventStream implements BeforeApplicationShutdown {
  /** What wakes each stream, and whose it is. */
  private readonly open = new Map<() => void, AccountId>();
  private isStopping = false;

  constructor(
    private readonly events: JobEvents,
    private readonly views: JobViews,
    wakeups: Wakeups,
  ) {
    const wakeAll = (): void => {
      for (const wake of this.open.keys()) wake();
    };
    wakeups.on('job', wakeAll);
    wakeups.on('keys', wakeAll);
  }

  /** Ends every stream, or the server would wait for them; their clients resume elsewhere. */
  beforeApplicationShutdown(): void {
    this.isStopping = true;
    for (const wake of this.open.keys()) wake();
  }

  /**
   * Sends every event after `lastEventId` once. Ends after the job's last event, when its bill is settled, or when `mayStay` says
   * that whoever asked may no longer.
   * @throws ProblemError UNAVAILABLE or RATE_LIMITED when too many are open, here or of this account
   */
  async send(
    accountId: AccountId,
    jobId: JobId,
    lastEventId: string | undefined,
    request: Request,
    response: Response,
    mayStay: () => Promise<boolean>,
  ): Promise<void> {
    await this.views.one(accountId, jobId);
    this.admit(accountId);
    const resume =
      /^(\d{16})-\S{1,128}$/.exec(lastEventId ?? '') === null ? '' : (lastEventId ?? '');
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close', // or a stopping process waits for the idle connection that a stream leaves
    });
    response.write('retry: 1000\n\n');

    const sent = new Set<string>();
    let from = resume === '' ? 0n : BigInt(resume.slice(0, 16)) - LATE_MICROS;
    // Wider than it looks, or the compiler takes it for false for good: a listener sets it.
    let left = false as boolean;
    let wake = (): void => undefined;
    const onWake = (): void => wake();
    this.open.set(onWake, accountId);
    request.on('close', () => {
      left = true;
      wake();
    });
    let quietSinceMs = performance.now();
    /** Whether nothing could follow any more when the events were read. */
    let wasOver = false;
    try {
      while (!left && !this.isStopping && (await mayStay())) {
        const fresh = (await this.events.since(jobId, from)).filter(
          ({ key }) => key > resume && !sent.has(key),
        );
        for (const { key, event } of fresh) {
          sent.add(key);
          response.write(`id: ${key}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
        }
        if (fresh.length > 0) quietSinceMs = performance.now();
        // A client that does not read gets no more, or its events would pile up here.
        if (response.writableNeedDrain) await drained(response);
        const newest = fresh.at(-1)?.event.id;
        if (newest !== undefined && BigInt(newest) - LATE_MICROS > from)
          from = BigInt(newest) - LATE_MICROS;
        if (wasOver && fresh.length === 0) break;
        wasOver = fresh.length === 0 && (await this.isOver(accountId, jobId));
        // The bill may have come after the events were read: only what is read from here on is all there is.
        if (wasOver) continue;
        if (performance.now() - quietSinceMs > KEEP_ALIVE_MS) {
          response.write(': still here\n\n');
          quietSinceMs = performance.now();
        }
        await new Promise<void>((resolve) => setTimeout(resolve, MIN_GAP_MS));
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, SWEEP_MS - MIN_GAP_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (left || this.isStopping) wake();
        });
      }
    } finally {
      this.open.delete(onWake);
      response.end();
    }
  }

  private admit(accountId: AccountId): void {
    if (this.open.size >= MAX_STREAMS)
      throw new ProblemError('UNAVAILABLE', 'Too many event streams are open.', {
        retryAfterS: RETRY_AFTER_S,
      });
    let mine = 0;
    for (const owner of this.open.values()) if (owner === accountId) mine += 1;
    if (mine >= MAX_STREAMS_OF_ACCOUNT)
      throw new ProblemError('RATE_LIMITED', `${mine} of your event streams are open.`, {
        retryAfterS: RETRY_AFTER_S,
      });
  }

  /** The job has ended and its bill is there: nothing can follow. */
  private async isOver(accountId: AccountId, jobId: JobId): Promise<boolean> {
    const { state, finishedAt } = await this.views.one(accountId, jobId);
    if (state === 'queued' || state === 'running' || finishedAt === null) return false;
    return (
      Date.now() - Date.parse(finishedAt) > MAX_WAIT_FOR_BILL_MS ||
      (await this.events.isBilled(jobId))
    );
  }
}
