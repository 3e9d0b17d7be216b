import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointView } from '@tidemill/protocol';
import { TrailFileError } from './trail-file.js';

/** Checkpoints kept from earlier visits, the smallest first; none when the file does not exist. */
export async function keptCheckpoints(file: string): Promise<CheckpointView[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const kept = CheckpointView.array().safeParse(jsonOf(text, file));
  // Going on without them would be to forget what the operator once said.
  if (!kept.success) throw new TrailFileError(`${file} does not hold checkpoints`);
  return kept.data;
}

/** Keeps a checkpoint beside the others; one of a size that is kept already changes nothing. */
export async function keepCheckpoint(file: string, checkpoint: CheckpointView): Promise<void> {
  const kept = await keptCheckpoints(file);
  if (kept.some(({ size, network }) => size === checkpoint.size && network === checkpoint.network))
    return;
  const all = [...kept, checkpoint].sort((a, b) => a.size - b.size);
  await mkdir(dirname(file), { recursive: true });
  const whole = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(whole, `${JSON.stringify(all, null, 2)}\n`, { flag: 'wx' });
  await rename(whole, file);
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TrailFileError(`${file} is not JSON`, { cause });
  }
}
