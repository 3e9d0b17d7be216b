import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CheckpointView, WitnessedCheckpointView, type TrailEventView } from '@tidemill/protocol';
import type { TrailSource } from './trail-source.js';

/** One line of a trail file: first checkpoints, the newest ahead, if there are any; then the events. */
type Line =
  | {
      readonly checkpoint: CheckpointView;
      readonly witnesses: WitnessedCheckpointView['witnesses'];
    }
  | { readonly event: TrailEventView };

const Witnessed = WitnessedCheckpointView.shape.witnesses;

/** A file that is no trail file; the message names the line. */
export class TrailFileError extends Error {
  override readonly name = 'TrailFileError';
}

/** Writes a trail to a file, one JSON document a line, and returns how many events there were. The file must not exist. */
export async function exportTrail(source: TrailSource, file: string): Promise<number> {
  let events = 0;
  async function* lines(): AsyncGenerator<string> {
    // The checkpoint first: events that come after it are more than it covers, never fewer.
    const checkpoint = await source.checkpoint();
    if (checkpoint !== null) yield `${JSON.stringify({ checkpoint })}\n`;
    for await (const event of source.events()) {
      events += 1;
      yield `${JSON.stringify({ event })}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file, { flags: 'wx' }));
  return events;
}

/** The trail in a file that `exportTrail` wrote. */
export function trailFile(file: string): TrailSource {
  return {
    checkpoint: async () => {
      for await (const line of linesOf(file)) return 'checkpoint' in line ? line.checkpoint : null;
      return null;
    },
    witnessed: async (publicKey) => {
      for await (const line of linesOf(file)) {
        if ('event' in line) return null;
        const { checkpoint, witnesses } = line;
        if (witnesses.some((one) => one.publicKey === publicKey))
          return { ...checkpoint, witnesses };
      }
      return null;
    },
    async *events() {
      for await (const line of linesOf(file)) if ('event' in line) yield line.event;
    },
  };
}

async function* linesOf(file: string): AsyncGenerator<Line> {
  const input = createReadStream(file, 'utf8');
  try {
    let number = 0;
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      yield parsed(text, `line ${number} of ${file}`);
    }
  } finally {
    input.destroy();
  }
}

function parsed(text: string, where: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TrailFileError(`${where} is not JSON`, { cause });
  }
  if (typeof value === 'object' && value !== null) {
    // The verifier looks at every member of an event, and names its place when one is wrong.
    if ('event' in value) return { event: value.event as TrailEventView };
    const checkpoint =
      'checkpoint' in value ? CheckpointView.safeParse(value.checkpoint) : undefined;
    const signed = Witnessed.safeParse('witnesses' in value ? value.witnesses : []);
    if (checkpoint?.success === true && signed.success) {
      return { checkpoint: checkpoint.data, witnesses: signed.data };
    }
  }
  throw new TrailFileError(`${where} is neither a checkpoint nor an event of a trail`);
}
