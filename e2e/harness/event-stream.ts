import type { JobEvent } from '@tidemill/protocol';
import { expect } from 'vitest';
import type { Submitter } from './submitter.js';

/** One server-sent event, with the id a client resumes from. */
export interface Streamed {
  readonly id: string;
  readonly type: string;
  readonly event: JobEvent;
}

const DEADLINE_MS = 60_000;

/** Reads a job's events from the beginning or after an id, until the stream ends or `enough` says so. */
export async function eventsOf(
  submitter: Submitter,
  jobId: string,
  options: { readonly after?: string; readonly enough?: (event: Streamed) => boolean } = {},
): Promise<Streamed[]> {
  const response = await fetch(`${submitter.http.url}/v1/jobs/${jobId}/events`, {
    headers: {
      authorization: `Bearer ${submitter.http.token}`,
      ...(options.after === undefined ? {} : { 'last-event-id': options.after }),
    },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  if (response.body === null) throw new Error('the stream has no body');

  const events: Streamed[] = [];
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return events;
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parsed(text.slice(0, end));
      text = text.slice(end + 2);
      if (event === null) continue;
      events.push(event);
      if (options.enough?.(event) !== true) continue;
      await reader.cancel();
      return events;
    }
  }
}

/** A block of the stream as an event, or null for a comment or an instruction. */
function parsed(block: string): Streamed | null {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const [id, type, data] = [field('id'), field('event'), field('data')];
  if (id === undefined || type === undefined || data === undefined) return null;
  return { id, type, event: JSON.parse(data) as JobEvent };
}
