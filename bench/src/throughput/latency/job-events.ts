import { JobEvent } from '@tidemill/protocol';
import type { Session } from '../product/api.js';

const STREAM_DEADLINE_MS = 20_000;

/**
 * The first event of a kind in the stream of a job's server-sent events, which begins with all that has happened.
 * @throws Error when the stream ends without it
 */
export async function firstEvent(
  { orchestrator, token }: Session,
  jobId: string,
  type: JobEvent['type'],
): Promise<JobEvent> {
  const response = await fetch(`${orchestrator.url}/v1/jobs/${jobId}/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(STREAM_DEADLINE_MS),
  });
  if (!response.ok || response.body === null)
    throw new Error(`the events answered ${response.status}`);
  let unfinished = '';
  // Leaving the loop closes the connection.
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (unfinished + chunk).split('\n\n');
    unfinished = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = dataOf(block);
      if (data === '') continue; // A comment that keeps the connection open.
      const event = JobEvent.parse(JSON.parse(data));
      if (event.type === type) return event;
    }
  }
  throw new Error(`the events of ${jobId} ended without ${type}`);
}

/** The `data` lines of one block of a stream, joined as the standard says. */
export function dataOf(block: string): string {
  return block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).replace(/^ /, ''))
    .join('\n');
}
