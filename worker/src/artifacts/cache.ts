import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@tidemill/protocol';
import type { Clock } from '../clock.js';
import { ArtifactError, type InputRef, type PinnedFile } from './store.js';

interface Entry {
  sizeBytes: number;
  lastUsedMs: number;
  /** Attempts that read it now, or the download that writes it. */
  pins: number;
}

/**
 * Files by digest below one folder, within a bound. Room is made by deleting what was used longest ago; what an attempt reads is
 * never deleted. Unfinished downloads count too, under the name of what they will become.
 */
export class ArtifactCache {
  private readonly entries = new Map<string, Entry>();
  private usedBytes = 0;

  private constructor(
    private readonly folder: string,
    private readonly capBytes: number,
    private readonly clock: Pick<Clock, 'wallMs'>,
  ) {}

  static async open(
    folder: string,
    capBytes: number,
    clock: Pick<Clock, 'wallMs'>,
  ): Promise<ArtifactCache> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const cache = new ArtifactCache(folder, capBytes, clock);
    for (const file of await readdir(folder)) await cache.adopt(file);
    return cache;
  }

  pathOf(digest: Digest): string {
    return join(this.folder, digest.slice('sha256:'.length));
  }

  /** Room for a file, pinned until `release`; the caller puts the file at its path if it is not there. @throws ArtifactError */
  async reserve({ digest, sizeBytes }: InputRef): Promise<PinnedFile> {
    const name = nameOf(digest);
    const known = this.entries.get(name);
    if (known === undefined) {
      // Taken before anything is awaited, or two inputs would be promised the same room.
      this.entries.set(name, { sizeBytes, lastUsedMs: this.clock.wallMs(), pins: 1 });
      this.usedBytes += sizeBytes;
    } else {
      known.pins += 1;
      this.usedBytes += sizeBytes - known.sizeBytes;
      known.sizeBytes = sizeBytes;
    }
    const pinned = { path: this.pathOf(digest), release: onceOnly(() => this.unpin(name)) };
    try {
      await this.makeRoom();
    } catch (error) {
      pinned.release();
      if (known === undefined) this.forget(name);
      throw error;
    }
    return pinned;
  }

  /** Whether the whole file is there. */
  async has({ digest, sizeBytes }: InputRef): Promise<boolean> {
    const found = await stat(this.pathOf(digest)).catch(() => null);
    return found?.isFile() === true && found.size === sizeBytes;
  }

  get bytes(): number {
    return this.usedBytes;
  }

  private async adopt(file: string): Promise<void> {
    const path = join(this.folder, file);
    const match = /^([0-9a-f]{64})(\.part)?$/.exec(file);
    const found = await stat(path);
    if (match === null || !found.isFile()) return rm(path, { recursive: true, force: true });
    const name = match[1] ?? '';
    const entry = this.entries.get(name) ?? { sizeBytes: 0, lastUsedMs: found.mtimeMs, pins: 0 };
    entry.sizeBytes += found.size;
    this.entries.set(name, entry);
    this.usedBytes += found.size;
  }

  private async makeRoom(): Promise<void> {
    const unused = [...this.entries].filter(([, { pins }]) => pins === 0);
    unused.sort(([a, left], [b, right]) => left.lastUsedMs - right.lastUsedMs || (a < b ? -1 : 1));
    for (const [name] of unused) {
      if (this.usedBytes <= this.capBytes) return;
      this.forget(name);
      await rm(join(this.folder, name), { force: true });
      await rm(join(this.folder, `${name}.part`), { force: true });
    }
    if (this.usedBytes > this.capBytes) {
      throw new ArtifactError(
        'INPUT_TOO_LARGE',
        `the inputs need more than the ${this.capBytes} bytes of the cache`,
      );
    }
  }

  private forget(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined || entry.pins > 0) return;
    this.usedBytes -= entry.sizeBytes;
    this.entries.delete(name);
  }

  private unpin(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    entry.pins -= 1;
    entry.lastUsedMs = this.clock.wallMs();
    // So the next process knows the order too; a file that is not there has no order to keep.
    const seconds = entry.lastUsedMs / 1_000;
    void utimes(join(this.folder, name), seconds, seconds).catch(() => undefined);
  }
}

const nameOf = (digest: Digest): string => digest.slice('sha256:'.length);

function onceOnly(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
