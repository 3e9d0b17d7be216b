import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type CosignerMemory, NOTHING_KNOWN } from '@tidemill/core/cosigner';
import { memoryFrom, memoryText } from './memory-text.js';

/** The memory is there and cannot be read. To begin anew would be to sign what was perhaps signed otherwise. */
export class MemoryDamagedError extends Error {
  override readonly name = 'MemoryDamagedError';
}

/** A co-signer's memory in a folder of its own. */
export class MemoryFolder {
  private readonly file: string;

  constructor(private readonly folder: string) {
    this.file = join(folder, 'memory.json');
  }

  /** What was kept last; nothing on the first start. @throws MemoryDamagedError */
  async load(): Promise<CosignerMemory> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING_KNOWN;
      throw error;
    }
    try {
      return memoryFrom(text);
    } catch (cause) {
      throw new MemoryDamagedError(
        `${this.file} is damaged: restore it, or have the admins replace this co-signer's key`,
        { cause },
      );
    }
  }

  /** Returns once the memory would survive a loss of power: only then may a signature leave. */
  async keep(memory: CosignerMemory): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const whole = `${this.file}.new`;
    await closing(await open(whole, 'w', 0o600), async (file) => {
      await file.writeFile(memoryText(memory));
      await file.sync();
    });
    await rename(whole, this.file);
    await closing(await open(this.folder, 'r'), (folder) => folder.sync());
  }
}

async function closing(file: FileHandle, work: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(file);
  } finally {
    await file.close();
  }
}
