import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
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

/** The trail in a file that `downloadTrail` wrote. */
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
