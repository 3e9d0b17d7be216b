import { JobEvent } from '@tidemill/protocol';
import type { Session } from '../product/api.js';

const STREAM_DEADLINE_MS = 20_000;

/** An event of a job, and when it was read here by the wall clock. */
export interface SeenEvent {
  readonly event: JobEvent;
  readonly seenAtMs: number;
}

/** Follows a job to its end by server-sent events. @throws Error when the stream ends without `finished` */
export async function followJob(
  { orchestrator, token }: Session,
  jobId: string,
): Promise<SeenEvent[]> {
  const response = await fetch(`${orchestrator.url}/v1/jobs/${jobId}/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(STREAM_DEADLINE_MS),
  });
  if (!response.ok || response.body === null)
    throw new Error(`the events answered ${response.status}`);
  const seen: SeenEvent[] = [];
  let unfinished = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const seenAtMs = Date.now();
    const blocks = (unfinished + chunk).split('\n\n');
    unfinished = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = dataOf(block);
      if (data === '') continue; // A comment that keeps the connection open.
      const event = JobEvent.parse(JSON.parse(data));
      seen.push({ event, seenAtMs });
      if (event.type === 'finished') return seen;
    }
  }
  throw new Error(`the events of ${jobId} ended before the job did`);
}

/** The `data` lines of one block of a stream, joined as the standard says. */
export function dataOf(block: string): string {
  return block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).replace(/^ /, ''))
    .join('\n');
}
