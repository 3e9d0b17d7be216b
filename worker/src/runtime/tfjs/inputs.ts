import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Digest, TfjsInput, TfjsTask } from '@tidemill/protocol';

export interface InputFile {
  readonly digest: Digest;
  readonly path: string;
  readonly bytes: number;
}

/** An input that is not there, or is not what its digest says. */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(
    readonly code: 'INPUT_MISSING' | 'INPUT_CORRUPT',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Every artifact a task names, each once. */
function inputsOf(task: TfjsTask): Digest[] {
  const { topology, weights } = task.model;
  const data = task.type === 'tfjs.train' ? task.data.train : task.data.input;
  const checkpoint = task.type === 'tfjs.train' ? task.checkpoint : null;
  return [
    ...new Set(
      [topology, weights, checkpoint, ...filesOf(data)].filter((digest) => digest !== null),
    ),
  ];
}

function filesOf(input: TfjsInput): Digest[] {
  return 'csv' in input ? [input.csv] : Object.values(input.arrays);
}

/** Finds the files of a task. @throws InputError for one that is not there. */
export async function findInputs(
  task: TfjsTask,
  paths: ReadonlyMap<Digest, string>,
): Promise<InputFile[]> {
  return Promise.all(
    inputsOf(task).map(async (digest) => {
      const path = paths.get(digest);
      if (path === undefined) throw new InputError('INPUT_MISSING', `${digest} was not fetched`);
      try {
        const found = await stat(path);
        return { digest, path, bytes: found.size };
      } catch (cause) {
        throw new InputError('INPUT_MISSING', `${digest} is not where it was put`, { cause });
      }
    }),
  );
}

/**
 * Sends files down a pipe one after the other and checks each against its digest on the way.
 * @throws InputError for one that is damaged; some of it may have been sent then.
 */
export async function sendInputs(files: readonly InputFile[], pipe: Writable): Promise<void> {
  for (const { digest, path, bytes } of files) {
    const hash = createHash('sha256');
    let sent = 0;
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sent += chunk.length;
      await write(pipe, chunk);
      if (pipe.destroyed) return; // the child has ended, and says itself why
    }
    if (sent !== bytes || `sha256:${hash.digest('hex')}` !== digest)
      throw new InputError('INPUT_CORRUPT', `the bytes kept as ${digest} are not those bytes`);
  }
}

/** Settles when there is room for more, or nobody reads any more. */
export function write(pipe: Writable, chunk: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    pipe.write(chunk, () => {
      resolve();
    });
  });
}
