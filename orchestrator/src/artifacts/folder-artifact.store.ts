import type { Digest, UploadId } from '@tidemill/protocol';
import { createHash, randomUUID, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ArtifactStore, type ByteRange, type StagedBytes } from './artifact.store.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PUT_PREFIX = 'put-';
/** A put that nobody has written to for this long was left by a crash: a living one is cut after seconds of silence. */
const STALE_PUT_MS = 3_600_000;
/** An upload may rest for a day between two parts. */
const STALE_UPLOAD_MS = 25 * 3_600_000;
const READ_BYTES = 256 * 1024;

/**
 * Artifacts as files: `<root>/sha256/ab/cd/<hex>`, received in `<root>/staging` and renamed when they are whole, hashed
 * and on the disk. No part of a name comes from a stranger except a digest's hex digits, and no link is followed.
 */
export class FolderArtifactStore extends ArtifactStore {
  private constructor(private readonly root: string) {
    super();
  }

  /** Makes the folders. @throws Error when a link or file stands in their place */
  static async open(folder: string): Promise<FolderArtifactStore> {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const store = new FolderArtifactStore(await realpath(folder));
    await makeFolder(join(store.root, 'staging'));
    await makeFolder(join(store.root, 'sha256'));
    return store;
  }

  async stage(source: AsyncIterable<Uint8Array>): Promise<StagedBytes> {
    const path = this.staging(`${PUT_PREFIX}${randomUUID()}`);
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    try {
      const hash = createHash('sha256');
      let sizeBytes: number;
      try {
        sizeBytes = await writeAll(file, 0, source, hash);
        await file.datasync();
      } finally {
        await file.close();
      }
      return this.staged(path, digestOf(hash), sizeBytes);
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    }
  }

  async append(
    upload: UploadId,
    offset: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    const file = await open(this.staging(upload), O_WRONLY | O_CREAT | O_NOFOLLOW, FILE_MODE);
    try {
      return await writeAll(file, offset, source);
    } finally {
      await file.close();
    }
  }

  async uploadedBytes(upload: UploadId): Promise<number> {
    return (await sizeOf(this.staging(upload))) ?? 0;
  }

  async stageUpload(upload: UploadId): Promise<StagedBytes | null> {
    const path = this.staging(upload);
    const file = await openToRead(path);
    if (file === null) return null;
    try {
      await file.datasync();
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of file.createReadStream({
        highWaterMark: READ_BYTES,
        autoClose: false,
      })) {
        hash.update(chunk as Buffer); // a stream without an encoding gives buffers
        sizeBytes += (chunk as Buffer).length;
      }
      return this.staged(path, digestOf(hash), sizeBytes);
    } finally {
      await file.close();
    }
  }

  async discardUpload(upload: UploadId): Promise<void> {
    await rm(this.staging(upload), { force: true });
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable | null> {
    const file = await openToRead(this.place(digest).path);
    if (file === null) return null;
    const bounds = range === undefined ? {} : { start: range.first, end: range.last };
    return file.createReadStream({ highWaterMark: READ_BYTES, ...bounds });
  }

  async stat(digest: Digest): Promise<number | null> {
    return await sizeOf(this.place(digest).path);
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.place(digest).path, { force: true });
  }

  async sweep(nowMs: number): Promise<number> {
    let deleted = 0;
    for (const name of await readdir(join(this.root, 'staging'))) {
      const path = this.staging(name);
      const staleMs = name.startsWith(PUT_PREFIX) ? STALE_PUT_MS : STALE_UPLOAD_MS;
      const found = await lstat(path).catch(orNull); // it may have been completed since
      if (found === null || nowMs - found.mtimeMs < staleMs) continue;
      await rm(path, { force: true });
      deleted += 1;
    }
    return deleted;
  }

  private staged(path: string, digest: Digest, sizeBytes: number): StagedBytes {
    return {
      digest,
      sizeBytes,
      keep: () => this.keep(path, digest),
      discard: () => rm(path, { force: true }),
    };
  }

  private async keep(path: string, digest: Digest): Promise<void> {
    const { folders, folder, path: target } = this.place(digest);
    for (const each of folders) await makeFolder(each);
    try {
      await rename(path, target);
    } catch (cause) {
      // A transaction that runs again finds the file where it put it the first time.
      if (isMissing(cause) && (await sizeOf(target)) !== null) return;
      throw cause;
    }
    await syncFolder(folder);
  }

  private staging(name: string): string {
    return join(this.root, 'staging', name);
  }

  private place(digest: Digest): { folders: string[]; folder: string; path: string } {
    const hex = digest.slice('sha256:'.length);
    const outer = join(this.root, 'sha256', hex.slice(0, 2));
    const folder = join(outer, hex.slice(2, 4));
    return { folders: [outer, folder], folder, path: join(folder, hex) };
  }
}

/** Writes a stream chunk by chunk, so that the sender is held back to the disk's speed; returns the length after it. */
async function writeAll(
  file: FileHandle,
  offset: number,
  source: AsyncIterable<Uint8Array>,
  hash?: Hash,
): Promise<number> {
  let at = offset;
  for await (const chunk of source) {
    hash?.update(chunk);
    for (let written = 0; written < chunk.length;) {
      const { bytesWritten } = await file.write(chunk, written, chunk.length - written, at);
      written += bytesWritten;
      at += bytesWritten;
    }
  }
  return at;
}

const digestOf = (hash: Hash): Digest => `sha256:${hash.digest('hex')}` as Digest; // of that form by construction

async function openToRead(path: string): Promise<FileHandle | null> {
  const file = await open(path, O_RDONLY | O_NOFOLLOW).catch(orNull);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is not a plain file`);
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await lstat(path).catch(orNull);
  return found === null || !found.isFile() ? null : found.size;
}

/** Makes a folder whose entry survives a crash. @throws Error when something that is not a folder, such as a link, is there */
async function makeFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(orNull);
  if (found?.isDirectory()) return;
  if (found !== null) throw new Error(`${path} is not a folder`);
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  await syncFolder(join(path, '..'));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Null when the error says that there is nothing; any other error goes on. */
function orNull(cause: unknown): null {
  if (isMissing(cause)) return null;
  throw cause;
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
