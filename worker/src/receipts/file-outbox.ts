import { open, readFile, rename, mkdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AttemptId } from '@tidemill/protocol';
import { z } from 'zod';
import type { Log } from '../log.js';
import type { KeptReceipt, Outbox } from './outbox.js';

const Line = z.union([
  z.strictObject({
    put: z.strictObject({
      attemptId: AttemptId,
      fence: z.int().min(1),
      text: z.string(),
      expiresAtMs: z.int(),
    }),
  }),
  z.strictObject({ gone: z.array(AttemptId) }),
]);

/** A journal larger than this is written anew as soon as what is in it has shrunk. */
const REWRITE_ABOVE_BYTES = 4 * 1024 * 1024;

/**
 * An outbox in one append-only file of JSON lines: many receipts cost one write and one fsync. A line that was cut short by a crash
 * was never acknowledged to anybody, and is left out.
 */
export class FileOutbox implements Outbox {
  private readonly kept = new Map<AttemptId, KeptReceipt>();
  private file: FileHandle | null = null;
  private writtenBytes = 0;

  constructor(
    private readonly path: string,
    private readonly log: Log,
  ) {}

  async open(): Promise<readonly KeptReceipt[]> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await this.replay();
    await this.rewrite();
    return [...this.kept.values()];
  }

  async append(receipts: readonly KeptReceipt[]): Promise<void> {
    await this.write(receipts.map((put) => JSON.stringify({ put })));
    await this.opened().datasync();
    for (const receipt of receipts) this.kept.set(receipt.attemptId, receipt);
  }

  async remove(attemptIds: readonly AttemptId[]): Promise<void> {
    for (const attemptId of attemptIds) this.kept.delete(attemptId);
    // Not synced: at worst a receipt is sent once more and acknowledged as a duplicate.
    if (this.writtenBytes > REWRITE_ABOVE_BYTES) await this.rewrite();
    else await this.write([JSON.stringify({ gone: attemptIds })]);
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close();
  }

  private async replay(): Promise<void> {
    let unreadable = 0;
    for (const text of (await this.journal()).split('\n')) {
      if (text === '') continue;
      const line = parsedLine(text);
      if (line === null) unreadable += 1;
      else if ('put' in line) this.kept.set(line.put.attemptId, line.put);
      else for (const attemptId of line.gone) this.kept.delete(attemptId);
    }
    if (unreadable > 0) this.log.warn({ unreadable, path: this.path }, 'outbox lines unreadable');
  }

  private async journal(): Promise<string> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    }
  }

  /** Leaves a file that holds exactly what is kept. The old one stays whole until the new one is on disk. */
  private async rewrite(): Promise<void> {
    const fresh = `${this.path}.new`;
    const file = await open(fresh, 'w', 0o600);
    try {
      const lines = [...this.kept.values()].map((put) => `${JSON.stringify({ put })}\n`).join('');
      await file.writeFile(lines);
      await file.sync();
      await rename(fresh, this.path);
      await syncFolder(dirname(this.path));
      this.writtenBytes = Buffer.byteLength(lines);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.file?.close();
    this.file = file;
  }

  private async write(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    await writeWhole(this.opened(), bytes, this.writtenBytes);
    this.writtenBytes += bytes.length;
  }

  private opened(): FileHandle {
    if (this.file === null) throw new Error(`outbox ${this.path} is not open`);
    return this.file;
  }
}

/** Writes at a fixed place, so that a try that failed half-way is overwritten by the next one. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function parsedLine(text: string): z.infer<typeof Line> | null {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The name of a new file is on disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(join(folder), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
