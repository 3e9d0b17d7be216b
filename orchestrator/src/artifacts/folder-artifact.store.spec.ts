import type { Digest, UploadId } from '@tidemill/protocol';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FolderArtifactStore } from './folder-artifact.store.js';
import { digestOf } from './testing/artifact-calls.js';
import { DamagedArtifactError, verified } from './verified.js';

let folder: string;
let store: FolderArtifactStore;
const upload = 'upl_01890a5d000000000000000000' as UploadId;
const hello = Buffer.from('hello artifact');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-artifacts-'));
  store = await FolderArtifactStore.open(folder);
});
afterEach(() => rm(folder, { recursive: true }));

async function* chunks(...parts: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}

async function keep(bytes: Uint8Array): Promise<Digest> {
  const staged = await store.stage(chunks(bytes));
  await staged.keep();
  return staged.digest;
}

async function contentOf(source: AsyncIterable<Uint8Array> | null): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of source ?? chunks()) read.push(chunk);
  return Buffer.concat(read);
}
const pathOf = (digest: Digest): string =>
  join(folder, 'sha256', digest.slice(7, 9), digest.slice(9, 11), digest.slice(7));
const staging = (): Promise<string[]> => readdir(join(folder, 'staging'));

describe('bytes in the folder store', () => {
  test('are kept under their digest and read whole or in part', async () => {
    const digest = await keep(hello);
    expect(digest).toBe(digestOf(hello));
    expect(await contentOf(await store.read(digest))).toEqual(hello);
    expect((await contentOf(await store.read(digest, { first: 6, last: 8 }))).toString()).toBe(
      'art',
    );
    expect(await store.stat(digest)).toBe(hello.length);
    expect(await readFile(pathOf(digest))).toEqual(hello);
    expect(await staging()).toEqual([]);
  });

  test('can be none at all', async () => {
    const digest = await keep(Buffer.alloc(0));
    expect(await contentOf(await store.read(digest))).toEqual(Buffer.alloc(0));
  });

  test('are for their owner’s eyes only', async () => {
    const digest = await keep(hello);
    expect((await stat(pathOf(digest))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'sha256', digest.slice(7, 9)))).mode & 0o777).toBe(0o700);
  });

  test('are not visible before they are kept, nor after they are discarded', async () => {
    const staged = await store.stage(chunks(hello));
    expect(await store.stat(staged.digest)).toBeNull();
    await staged.discard();
    expect(await staging()).toEqual([]);
    await expect(staged.keep()).rejects.toThrow(/ENOENT/);
  });

  test('leave nothing when their source fails half-way', async () => {
    await expect(store.stage(chunks(hello, new RangeError('cut')))).rejects.toThrow('cut');
    expect(await staging()).toEqual([]);
  });

  test('may be kept twice, and by two at once', async () => {
    const staged = await Promise.all(Array.from({ length: 8 }, () => store.stage(chunks(hello))));
    await Promise.all(staged.map((each) => each.keep()));
    await staged[0]?.keep();
    expect(await contentOf(await store.read(digestOf(hello)))).toEqual(hello);
    expect(await staging()).toEqual([]);
  });

  test('take the place of damaged ones', async () => {
    const digest = await keep(hello);
    await writeFile(pathOf(digest), 'HELLO artifact');
    await keep(hello);
    expect(await contentOf(await store.read(digest))).toEqual(hello);
  });

  test('are gone once deleted; deleting again is harmless', async () => {
    const digest = await keep(hello);
    await store.delete(digest);
    await store.delete(digest);
    expect([await store.read(digest), await store.stat(digest)]).toEqual([null, null]);
  });
});

describe('an upload in the folder store', () => {
  test('grows part by part and keeps what arrived before a failure', async () => {
    expect(await store.uploadedBytes(upload)).toBe(0);
    await expect(
      store.append(upload, 0, chunks(hello.subarray(0, 5), new RangeError('cut'))),
    ).rejects.toThrow('cut');
    expect(await store.uploadedBytes(upload)).toBe(5);
    expect(await store.append(upload, 5, chunks(hello.subarray(5)))).toBe(hello.length);
    const staged = await store.stageUpload(upload);
    expect([staged?.digest, staged?.sizeBytes]).toEqual([digestOf(hello), hello.length]);
    await staged?.keep();
    expect(await contentOf(await store.read(digestOf(hello)))).toEqual(hello);
  });

  test('that was discarded is nothing to keep', async () => {
    await store.append(upload, 0, chunks(hello));
    await store.discardUpload(upload);
    expect(await store.stageUpload(upload)).toBeNull();
  });
});

describe('links', () => {
  test('in the place of an artifact are not followed', async () => {
    const digest = digestOf(hello);
    await mkdir(join(pathOf(digest), '..'), { recursive: true });
    await symlink('/etc/hostname', pathOf(digest));
    await expect(store.read(digest)).rejects.toThrow(/ELOOP/);
    expect(await store.stat(digest)).toBeNull();
    await keep(hello);
    expect(await contentOf(await store.read(digest))).toEqual(hello);
  });

  test('in the place of a folder are refused', async () => {
    const digest = digestOf(hello);
    await symlink(tmpdir(), join(folder, 'sha256', digest.slice(7, 9)));
    await expect(keep(hello)).rejects.toThrow(/is not a folder/);
  });

  test('in the place of an upload are not written through', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'untouched');
    await symlink(elsewhere, join(folder, 'staging', upload));
    await expect(store.append(upload, 0, chunks(hello))).rejects.toThrow(/ELOOP/);
    expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
  });
});

test('what a crash left is swept when it is old, and a living put is not', async () => {
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['put-dead', 'put-alive', upload])
    await writeFile(join(folder, 'staging', name), 'part');
  await utimes(join(folder, 'staging', 'put-dead'), old, old);
  await utimes(join(folder, 'staging', upload), old, old);
  expect(await store.sweep(Date.now())).toBe(1);
  expect((await staging()).sort()).toEqual(['put-alive', upload]);
  expect(await store.sweep(Date.now() + 26 * 3_600_000)).toBe(2);
});

describe('a whole read', () => {
  const read = (source: Readable, digest: Digest) => contentOf(verified(source, digest));

  test('holds the last chunk back until the digest was right', async () => {
    const passed: Uint8Array[] = [];
    const source = verified(chunks(hello, Buffer.from('!')), digestOf(hello));
    const reading = (async () => {
      for await (const chunk of source) passed.push(chunk);
    })();
    await expect(reading).rejects.toBeInstanceOf(DamagedArtifactError);
    expect(passed).toEqual([hello]);
  });

  test('of a shortened or emptied file fails', async () => {
    const digest = await keep(hello);
    await writeFile(pathOf(digest), hello.subarray(0, 5));
    await expect(read((await store.read(digest)) as Readable, digest)).rejects.toBeInstanceOf(
      DamagedArtifactError,
    );
    await writeFile(pathOf(digest), '');
    await expect(read((await store.read(digest)) as Readable, digest)).rejects.toBeInstanceOf(
      DamagedArtifactError,
    );
  });
});
