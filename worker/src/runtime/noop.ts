import type { Clock, Timers } from '../clock.js';
import {
  type RunEvents,
  type RunOutcome,
  type RunRequest,
  type Runner,
  failure,
} from './runner.js';

const RUNTIME_CLASS = 'noop/1';

/** Does nothing, for as long as it is told, and ends as it is told: what is measured with it is the network alone. */
export class NoopRunner implements Runner {
  readonly runtime = 'noop';

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly timers: Timers,
  ) {}

  offer(): ReturnType<Runner['offer']> {
    const detail = 'no code of the job runs';
    return Promise.resolve({
      ok: true,
      offer: {
        runtime: 'noop',
        runtimeClass: RUNTIME_CLASS,
        isolation: 'sandbox',
        isolationDetail: detail,
      },
    });
  }

  async run(request: RunRequest, _events: RunEvents, signal: AbortSignal): Promise<RunOutcome> {
    const startMs = this.clock.monotonicMs();
    const usage = () => ({
      wallMs: Math.floor(this.clock.monotonicMs() - startMs),
      cpuMs: 0,
      maxRssMib: 0,
    });
    if (request.payload.runtime !== 'noop')
      return {
        state: 'failed',
        failure: failure('CHILD_PROTOCOL', 'this is no noop task'),
        runtimeClass: RUNTIME_CLASS,
        usage: usage(),
      };

    const { sleepMs = 0, fail } = request.payload.noop;
    const isLate = sleepMs > request.limits.wallMs;
    const untilMs = startMs + Math.min(sleepMs, request.limits.wallMs);
    // Again where a timer was early: a task that takes 50 ms is not over, nor billed, after 49.
    for (let nowMs = startMs; nowMs < untilMs && !signal.aborted; nowMs = this.clock.monotonicMs())
      await this.wait(untilMs - nowMs, signal);
    if (signal.aborted) return { state: 'stopped', usage: usage() };
    if (isLate || fail !== undefined) {
      const why = isLate
        ? failure('TIMEOUT', `not done after ${request.limits.wallMs} ms`)
        : failure('FAILED_AS_TOLD', fail ?? '');
      return { state: 'failed', failure: why, runtimeClass: RUNTIME_CLASS, usage: usage() };
    }
    return {
      state: 'succeeded',
      outputs: [],
      commitment: null,
      metrics: {},
      runtimeClass: RUNTIME_CLASS,
      usage: usage(),
    };
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.timers.after(ms, end);
      signal.addEventListener('abort', end);
    });
  }
}
