import type { Readable } from 'node:stream';

const MAX_LINE = 4_096;
/** Kept of what a child printed last, to tell why it ended. */
const TAIL = 8_192;

/**
 * Turns a stream into lines for the log, `budget` bytes of them at most over all streams that share it. The stream is read to its
 * end whatever happens, or the child would wait for room. Returns the last part of the text.
 */
export async function readLines(
  stream: Readable,
  budget: { bytes: number },
  onLine: (line: string) => void,
): Promise<string> {
  let tail = '';
  let open = '';
  const say = (line: string) => {
    if (budget.bytes < 0) return;
    budget.bytes -= Buffer.byteLength(line) + 1;
    onLine(
      budget.bytes < 0
        ? '[tidemill] the log is longer than allowed; the rest is dropped'
        : printable(line),
    );
  };
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    tail = (tail + chunk).slice(-TAIL);
    if (budget.bytes < 0) continue;
    const lines = (open + chunk).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) say(line);
    while (open.length > MAX_LINE) {
      say(open.slice(0, MAX_LINE));
      open = open.slice(MAX_LINE);
    }
  }
  if (open !== '') say(open);
  return tail;
}

/** Without what moves a cursor or changes colours: a log line is text and nothing else. */
function printable(line: string): string {
  return line.slice(0, MAX_LINE).replace(/(?!\t)\p{Cc}/gu, '');
}
