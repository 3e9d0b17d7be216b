import { setTimeout as sleep } from 'node:timers/promises';
import { isOver } from '../../sdk/jobs.js';
import type { Tidemill } from '../../sdk/tidemill.js';
import type { LogLine } from '../../sdk/types.js';

const POLL_MS = 1_000;

/** The lines of a job's log, oldest first and each once, until the job is over. */
export async function* tailLogs(
  { jobs }: Pick<Tidemill, 'jobs'>,
  id: string,
  { signal, pollMs = POLL_MS }: { signal: AbortSignal; pollMs?: number },
): AsyncGenerator<LogLine> {
  const seen = new Map<string, number>();
  let cursor: string | undefined; // Of the last page, which is read again: it may have become longer.
  for (;;) {
    const over = isOver((await jobs.get(id)).state); // Asked before the lines, so that the last ones are read too.
    for (;;) {
      const page = await jobs.logPage(id, {
        limit: 200,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const line of page.items) {
        if (line.line <= (seen.get(line.attemptId) ?? -1)) continue;
        seen.set(line.attemptId, line.line);
        yield line;
      }
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    if (over) return;
    await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
