import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointView } from '@tidemill/protocol';
import { TrailFileError } from './trail-file.js';
import type { WitnessRefusal } from './witness.js';

/** What a witness must never forget, in a folder of its own. */
export class WitnessMemory {
  constructor(private readonly folder: string) {}

  /** The newest checkpoint seen; null on the first visit. @throws TrailFileError when the memory is damaged: that is no first visit */
  async last(): Promise<CheckpointView | null> {
    const file = join(this.folder, 'last.json');
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      return CheckpointView.parse(JSON.parse(text));
    } catch (cause) {
      throw new TrailFileError(`${file} does not hold a checkpoint`, { cause });
    }
  }

  /** Remembers a checkpoint, on the disk, before anything is signed: a witness that forgot could be shown another history. */
  remember(checkpoint: CheckpointView): Promise<string> {
    return this.write('last.json', checkpoint);
  }

  /** Keeps the proof of a contradiction: two checkpoints that the same operator signed. Gives the file. */
  keepProof({ code, message, shown, last }: WitnessRefusal): Promise<string> {
    const name = `${code.toLowerCase()}-${shown.size}-${shown.root.slice(0, 8)}.json`;
    return this.write(name, { code, message, seen: last, shown });
  }

  private async write(name: string, value: unknown): Promise<string> {
    const file = join(this.folder, name);
    await mkdir(this.folder, { recursive: true });
    const whole = `${file}.${randomBytes(4).toString('hex')}`;
    const handle = await open(whole, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(whole, file);
    return file;
  }
}
