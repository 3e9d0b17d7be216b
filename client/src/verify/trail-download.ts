import { access, open, rename, stat, truncate, type FileHandle } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** How often in a row a broken connection is taken up again without a line of progress. */
const MAX_TRIES = 5;
/** Written at once, so that a million events are not a million writes. */
const CHUNK_CHARACTERS = 1 << 20;

export interface Download {
  /** Events in the file. */
  readonly events: number;
  /** Those that an earlier, broken download had left. */
  readonly resumedAt: number;
}

/**
 * Writes the lines of a trail to a new file, as they come. Until it is whole it is called `<file>.part`; one that was cut off goes
 * on from the last whole line, in this run or in the next. @throws when the file exists, and what `lines` throws again and again
 */
export async function downloadTrail(
  lines: (from: number) => AsyncIterable<string>,
  file: string,
): Promise<Download> {
  if (await exists(file)) throw new Error(`${file} exists already`);
  const part = `${file}.part`;
  const resumedAt = await wholeEvents(part);
  let events = resumedAt;
  for (let tries = 1; ; tries += 1) {
    const before = events;
    const handle = await open(part, 'a');
    try {
      events += await append(handle, lines(events), events);
      break;
    } catch (error) {
      events = await wholeEvents(part);
      if (events > before) tries = 0;
      else if (tries >= MAX_TRIES) throw error;
    } finally {
      await handle.close();
    }
  }
  await rename(part, file);
  return { events, resumedAt };
}

async function append(
  handle: FileHandle,
  lines: AsyncIterable<string>,
  from: number,
): Promise<number> {
  let events = 0;
  let text = '';
  const flush = async (): Promise<void> => {
    await handle.appendFile(text);
    text = '';
  };
  try {
    for await (const line of lines) {
      // Checkpoints stand at the head alone; a download that goes on has them already.
      if (placeOf(line) !== null) events += 1;
      else if (from > 0) continue;
      text += `${line}\n`;
      if (text.length >= CHUNK_CHARACTERS) await flush();
    }
  } finally {
    await flush();
  }
  return events;
}

/** How many events the part holds; what stands behind its last whole line is cut off. */
async function wholeEvents(part: string): Promise<number> {
  if (!(await exists(part))) return 0;
  const { size } = await stat(part);
  let events = 0;
  let whole = 0;
  const input = createReadStream(part, 'utf8');
  for await (const line of createInterface({ input })) {
    const end = whole + Buffer.byteLength(line) + 1;
    const place = placeOf(line);
    const isNext = place === null ? line.startsWith('{"checkpoint":') : place === events;
    // A last line without its end may look whole; it is asked for again.
    if (!isNext || end > size) break;
    if (place !== null) events += 1;
    whole = end;
  }
  input.destroy();
  await truncate(part, whole);
  return events;
}

/** The place of an event's line; null for any other line. */
function placeOf(line: string): number | null {
  try {
    const { event } = JSON.parse(line) as { event?: { place?: unknown } };
    return typeof event?.place === 'number' ? event.place : null;
  } catch {
    return null;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
