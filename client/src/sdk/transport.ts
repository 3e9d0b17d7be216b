import type { Clock } from './clock.js';
import { mayRepeat, type RetryPolicy, type Tried, waitBeforeRetry } from './retry.js';
import { problemOf, type TidemillError, unreachable } from './tidemill-error.js';

/** Who is asking: a header for each request, and what to do when it was not good enough. */
export interface Credentials {
  /** The value of Authorization, or null to ask as nobody. */
  header(): Promise<string | null>;
  /** Called after a 401; true when a new header is worth another try. */
  renew(): Promise<boolean>;
}

export const NOBODY: Credentials = { header: async () => null, renew: async () => false };

export interface SendOptions {
  /** How long one try may take until its headers are there; a stream may go on longer. Default: the transport's. */
  readonly deadlineMs?: number;
  /** Aborts the call, waits included. */
  readonly signal?: AbortSignal | undefined;
}

interface TransportParts {
  readonly fetch: typeof fetch;
  readonly credentials: Credentials;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** Sends requests in somebody's name: repeats those that may be repeated, and turns refusals into TidemillError. */
export class Transport {
  constructor(private readonly parts: TransportParts) {}

  /** The answer, which is a success. `make` is called for every try, since a body can be read once only. */
  async send(make: () => Request, options: SendOptions = {}): Promise<Response> {
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const request = make();
      const answer = await this.try(request, options);
      if (answer instanceof Response && answer.ok) return answer;
      if (answer instanceof Response && answer.status === 401 && !renewed) {
        renewed = true;
        if (await this.parts.credentials.renew()) continue;
      }
      const wait = mayRepeat(request) ? this.waitAfter(answer, tries) : null;
      if (wait === null) throw answer instanceof Response ? await problemOf(answer) : answer;
      if (answer instanceof Response) await answer.body?.cancel();
      await this.parts.clock.sleep(wait, options.signal);
    }
  }

  private async try(request: Request, options: SendOptions): Promise<Response | TidemillError> {
    const authorization = await this.parts.credentials.header();
    if (authorization !== null) request.headers.set('authorization', authorization);
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new Error('no answer in time')),
      options.deadlineMs ?? this.parts.deadlineMs,
    );
    const signals = [deadline.signal, request.signal, ...(options.signal ? [options.signal] : [])];
    try {
      return await this.parts.fetch(request, { signal: AbortSignal.any(signals) });
    } catch (cause) {
      if (options.signal?.aborted || request.signal.aborted) throw cause;
      return unreachable(request.url, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  private waitAfter(answer: Response | TidemillError, tries: number): number | null {
    const tried: Tried =
      answer instanceof Response
        ? { kind: 'answer', status: answer.status, retryAfter: answer.headers.get('retry-after') }
        : { kind: 'no-connection' };
    const { clock, retry } = this.parts;
    return waitBeforeRetry(tried, tries, retry, { random: clock.random(), nowMs: clock.nowMs() });
  }
}
