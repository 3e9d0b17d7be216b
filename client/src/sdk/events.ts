import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';
import type { Clock } from './clock.js';
import { TidemillError } from './tidemill-error.js';
import type { JobEvent } from './types.js';

/** An event of a job, and the cursor that a later stream can start after. */
export type StreamedEvent = JobEvent & { readonly cursor: string };

export interface EventsOptions {
  /** Start after this event: the `cursor` of the last one seen. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface EventSource {
  /** Opens the stream after an event; the answer is a success. */
  open(after: string | null, signal: AbortSignal): Promise<Response>;
  /** Whether anything can still happen to the job. */
  isOver(): Promise<boolean>;
  readonly clock: Clock;
}

/** The orchestrator says something, if only a comment, more often than this; a silent connection is a dead one. */
const SILENCE_MS = 60_000;
/** Connections in a row that ended without an event, before the trouble is the caller's: about half a minute of them. */
const MAX_EMPTY = 10;
/** What a stream that was open once sits out: an orchestrator that restarts is away for seconds. */
const PASSING: ReadonlySet<string> = new Set(['UNREACHABLE', 'UNAVAILABLE', 'RATE_LIMITED']);
const RECONNECT_MS = 500;

/**
 * The events of a job, each once and in order, across lost connections, until the job is over. An iteration that is left early
 * closes its connection.
 */
export async function* jobEvents(
  source: EventSource,
  options: EventsOptions,
): AsyncGenerator<StreamedEvent> {
  let last = options.after ?? null;
  let wasOpen = false;
  for (let empty = 0; ; empty += 1) {
    const connection = new AbortController();
    const leave = () => connection.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', leave, { once: true });
    options.signal?.throwIfAborted();
    try {
      const response = await source.open(last, connection.signal);
      wasOpen = true;
      for await (const event of eventsOf(response, connection)) {
        empty = 0;
        if (event.cursor === last) continue; // Sent again after a break.
        last = event.cursor;
        yield event;
      }
      if (await source.isOver()) return;
    } catch (error) {
      options.signal?.throwIfAborted();
      const isRefusal = error instanceof TidemillError && !PASSING.has(error.code);
      if (isRefusal || !wasOpen || empty >= MAX_EMPTY) throw error;
    } finally {
      options.signal?.removeEventListener('abort', leave);
      connection.abort();
    }
    if (empty >= MAX_EMPTY) throw silent();
    await source.clock.sleep(RECONNECT_MS * (empty + 1), options.signal);
  }
}

async function* eventsOf(
  response: Response,
  connection: AbortController,
): AsyncGenerator<StreamedEvent> {
  if (response.body === null) return;
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(new Error('the stream fell silent')), SILENCE_MS);
  };
  heard();
  const messages = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onComment: heard }));
  try {
    // Node's streams can be iterated; the type of the web standard does not say so yet.
    for await (const message of messages as unknown as AsyncIterable<EventSourceMessage>) {
      heard();
      if (message.data === '') continue;
      const event = JSON.parse(message.data) as JobEvent; // As the API describes it.
      // Events of one moment have the same id; only the stream's own one tells them apart.
      yield { ...event, cursor: message.id ?? String(event.id) };
    }
  } finally {
    clearTimeout(timer);
  }
}

const silent = () =>
  new TidemillError({
    code: 'BAD_ANSWER',
    status: null,
    title: 'The event stream stays empty',
    detail: 'The stream of events ended again and again without an event, and the job is not over.',
    next: 'Ask for the job itself (tidemill get), and report it if it stays.',
  });
