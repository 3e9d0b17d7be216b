import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;

/**
 * Follows a log from a byte offset until a line matches, and returns the match; null when `isOver` says that nothing
 * more will come. The process writes the file itself, so this works on whatever it leaves there, even after a crash.
 */
export async function followUntil(
  file: string,
  { from, pattern, isOver }: { from: number; pattern: RegExp; isOver: () => boolean },
): Promise<RegExpMatchArray | null> {
  const handle = await open(file, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  let position = from;
  let unfinished = Buffer.alloc(0);
  try {
    for (;;) {
      const last = isOver(); // Asked before the read, so that the last lines are read too.
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      // Split as bytes: a character may be cut at the end of what was read, a newline is never part of one.
      const bytes = Buffer.concat([unfinished, buffer.subarray(0, bytesRead)]);
      const end = last && bytesRead === 0 ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
      unfinished = Buffer.from(bytes.subarray(end));
      for (const line of bytes.toString('utf8', 0, end).split('\n')) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      if (bytesRead > 0) continue;
      if (last) return null;
      await sleep(POLL_MS);
    }
  } finally {
    await handle.close();
  }
}

/** The last part of a log, for a message that has to explain why something ended. */
export async function logTail(file: string, from: number, maxBytes = 2_000): Promise<string> {
  const { size } = await stat(file);
  const start = Math.max(from, size - maxBytes);
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}
