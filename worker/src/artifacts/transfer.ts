import type { Random, Timers } from '../clock.js';
import { sleep } from '../sleep.js';
import type { SessionToken } from './session-token.js';

export interface TransferPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly token: SessionToken;
  readonly fetch: typeof globalThis.fetch;
  /** Where the orchestrator's HTTP interface begins, without a slash at the end. */
  readonly baseUrl: string;
}

/** A transfer stopped for a reason that may pass. `progressed`: bytes arrived since the try before, so the tries start anew. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor(
    message: string,
    readonly progressed: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The orchestrator said no, and would say it again. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const MAX_TRIES = 8;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
/** A transfer that moves nothing for this long is broken off and resumed. */
const STALL_MS = 30_000;
/** Statuses that may change by themselves: a new session, a busy or a restarting orchestrator. */
const PASSING = new Set([401, 408, 425, 429, 500, 502, 503, 504]);

/** Tries `step` until it returns, at most eight times in a row without progress (about half a minute). */
export async function persist<T>(
  ports: Pick<TransferPorts, 'timers' | 'random'>,
  signal: AbortSignal,
  step: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await step();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof InterruptedError)) throw error;
      if (error.progressed) tries = 1;
      if (tries >= MAX_TRIES) throw error;
      const bound = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
      await sleep(ports.timers, bound * (0.5 + ports.random() / 2), signal);
    }
  }
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

/** A response, and the alarm that must be reset whenever bytes arrive. */
export interface Answer {
  readonly response: Response;
  readonly moved: () => void;
  /** Ends the watch; call it when the body is read. */
  readonly done: () => void;
}

/**
 * One authorised call. Rejects with InterruptedError when the network fails or the status may pass, with RefusedError for any other
 * status but those of success and those in `expected`.
 */
export async function call(
  ports: TransferPorts,
  { method, path, headers, body }: Call,
  signal: AbortSignal,
  expected: readonly number[] = [],
): Promise<Answer> {
  const token = await ports.token.current(signal);
  const stalled = new AbortController();
  const arm = () =>
    ports.timers.after(STALL_MS, () => stalled.abort(new Error('no bytes for 30 s')));
  let disarm = arm();
  try {
    const response = await ports.fetch(ports.baseUrl + path, {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
      // A redirect would carry the token to another host.
      redirect: 'error',
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    if (!response.ok && !expected.includes(response.status))
      throw await unwelcome(method, path, response);
    return {
      response,
      moved() {
        disarm();
        disarm = arm();
      },
      done: () => disarm(),
    };
  } catch (error) {
    disarm();
    signal.throwIfAborted();
    if (error instanceof RefusedError || error instanceof InterruptedError) throw error;
    throw new InterruptedError(`${method} ${path} failed`, false, { cause: error });
  }
}

async function unwelcome(method: string, path: string, response: Response): Promise<Error> {
  // The problem document says what was wrong; a part of it is enough for a log.
  const text = (await response.text()).slice(0, 500);
  const message = `${method} ${path}: ${response.status} ${text}`;
  return PASSING.has(response.status)
    ? new InterruptedError(message, false)
    : new RefusedError(message, response.status);
}
