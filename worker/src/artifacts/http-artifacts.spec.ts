import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock, systemTimers } from '../system-clock.js';
import { ArtifactServer } from '../testing/artifact-server.js';
import { digestOf } from '../testing/builders.js';
import { ArtifactCache } from './cache.js';
import { HttpArtifacts } from './http-artifacts.js';
import { SessionToken } from './session-token.js';

/** Retries without waiting: how long they wait is tested where it is decided. */
const hasty = {
  after: (delayMs: number, run: () => void) =>
    systemTimers.after(delayMs >= 30_000 ? delayMs : 0, run),
};
const never = new AbortController().signal;

let folder: string;
let server: ArtifactServer;
let token: SessionToken;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-artifacts-'));
  server = await new ArtifactServer().start();
  token = new SessionToken();
  token.set(server.token);
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function artifacts(capBytes = 10_000_000) {
  const cache = await ArtifactCache.open(join(folder, 'cache'), capBytes, systemClock);
  const ports = {
    timers: hasty,
    random: () => 0.5,
    token,
    fetch: globalThis.fetch,
    baseUrl: server.url,
  };
  return new HttpArtifacts(ports, cache, { wholeUpTo: 1_000, chunk: 400 });
}

async function anOutput(bytes: Buffer) {
  const path = join(folder, 'output');
  await writeFile(path, bytes);
  return { path, digest: digestOf(bytes), sizeBytes: bytes.length };
}

describe('fetching', () => {
  test('brings the bytes once and keeps them', async () => {
    const input = server.put(randomBytes(5_000));
    const store = await artifacts();
    const first = await store.fetch(input, never);
    const second = await store.fetch(input, never);
    expect(await readFile(first.path)).toEqual(server.blobs.get(input.digest));
    expect(second.path).toBe(first.path);
    expect(server.requests).toHaveLength(1);
  });

  test('goes on where a download broke off', async () => {
    const input = server.put(randomBytes(50_000));
    server.breakAfter.push(20_000, 10_000);
    const file = await (await artifacts()).fetch(input, never);
    expect(await readFile(file.path)).toEqual(server.blobs.get(input.digest));
    expect(server.requests.map((line) => line.split(' ').slice(2).join(' '))).toEqual([
      '',
      'bytes=20000-',
      'bytes=30000-',
    ]);
  });

  test('goes on with what an earlier process left', async () => {
    const blob = randomBytes(50_000);
    const input = server.put(blob);
    const store = await artifacts();
    await writeFile(
      join(folder, 'cache', `${input.digest.slice(7)}.part`),
      blob.subarray(0, 12_345),
    );
    const file = await store.fetch(input, never);
    expect(await readFile(file.path)).toEqual(blob);
    expect(server.requests[0]).toMatch(/bytes=12345-$/);
  });

  test('begins anew when what was left is not the beginning', async () => {
    const blob = randomBytes(5_000);
    const input = server.put(blob);
    const store = await artifacts();
    await writeFile(join(folder, 'cache', `${input.digest.slice(7)}.part`), randomBytes(100));
    const file = await store.fetch(input, never);
    expect(await readFile(file.path)).toEqual(blob);
  });

  test('copes with a server that ignores ranges', async () => {
    const input = server.put(randomBytes(50_000));
    server.ignoresRanges = true;
    server.breakAfter.push(20_000);
    const file = await (await artifacts()).fetch(input, never);
    expect(await readFile(file.path)).toEqual(server.blobs.get(input.digest));
  });

  test('refuses bytes with another digest and leaves nothing behind', async () => {
    const input = server.put(randomBytes(5_000));
    server.blobs.set(input.digest, randomBytes(5_000));
    const store = await artifacts();
    await expect(store.fetch(input, never)).rejects.toMatchObject({ code: 'INPUT_CORRUPT' });
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  test('refuses more bytes than were declared', async () => {
    const { digest } = server.put(randomBytes(5_000));
    const store = await artifacts();
    await expect(store.fetch({ digest, sizeBytes: 4_999 }, never)).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
    });
  });

  test('an artifact that is not there is not asked for again and again', async () => {
    const store = await artifacts();
    const missing = { digest: digestOf(randomBytes(3)), sizeBytes: 3 };
    await expect(store.fetch(missing, never)).rejects.toMatchObject({ code: 'INPUT_UNAVAILABLE' });
    expect(server.requests).toHaveLength(1);
  });

  test('a busy orchestrator is asked again, but not for ever', async () => {
    const input = server.put(randomBytes(500));
    server.statuses.push(503, 503);
    const store = await artifacts();
    await store.fetch(input, never);
    expect(server.requests).toHaveLength(3);
    server.statuses.push(...Array.from({ length: 20 }, () => 503));
    await expect(store.fetch(server.put(randomBytes(500)), never)).rejects.toMatchObject({
      code: 'INPUT_UNAVAILABLE',
    });
    expect(server.requests).toHaveLength(11);
  });

  test('waits for a session and uses its token', async () => {
    const input = server.put(randomBytes(500));
    token.clear();
    const store = await artifacts();
    const fetched = store.fetch(input, never);
    setTimeout(() => token.set(server.token), 30);
    await fetched;
    expect(server.requests).toHaveLength(1);
  });

  test('attempts that want the same bytes share one download; one that leaves does not end it', async () => {
    const input = server.put(randomBytes(50_000));
    server.breakAfter.push(1_000);
    const store = await artifacts();
    const leaving = new AbortController();
    const left = store.fetch(input, leaving.signal);
    const staying = store.fetch(input, never);
    leaving.abort(new Error('cancelled'));
    await expect(left).rejects.toThrow('cancelled');
    expect(await readFile((await staying).path)).toEqual(server.blobs.get(input.digest));
    expect(server.requests).toHaveLength(2);
  });

  test('a download nobody waits for any more can be begun again at once', async () => {
    const input = server.put(randomBytes(50_000));
    server.breakAfter.push(1_000);
    const store = await artifacts();
    const leaving = new AbortController();
    const left = store.fetch(input, leaving.signal);
    setTimeout(() => leaving.abort(new Error('cancelled')), 10);
    await expect(left).rejects.toThrow('cancelled');
    expect(await readFile((await store.fetch(input, never)).path)).toEqual(
      server.blobs.get(input.digest),
    );
  });

  test('an empty artifact needs no request', async () => {
    const file = await (
      await artifacts()
    ).fetch({ digest: digestOf(Buffer.alloc(0)), sizeBytes: 0 }, never);
    expect(await readFile(file.path)).toHaveLength(0);
    expect(server.requests).toEqual([]);
  });
});

describe('uploading', () => {
  test('sends a small file in one request', async () => {
    const output = await anOutput(randomBytes(1_000));
    await (await artifacts()).upload(output, never);
    expect(server.blobs.get(output.digest)).toHaveLength(1_000);
    expect(server.requests).toHaveLength(1);
  });

  test('sends a large file in chunks', async () => {
    const output = await anOutput(randomBytes(1_001));
    await (await artifacts()).upload(output, never);
    expect(server.blobs.get(output.digest)).toHaveLength(1_001);
    expect(server.requests.map((line) => line.split(' ').pop())).toEqual([
      '/v1/artifacts/uploads',
      '0',
      '400',
      '800',
    ]);
  });

  test('goes on from where the orchestrator stands when an answer is lost', async () => {
    const output = await anOutput(randomBytes(2_000));
    server.lostAnswers = 2;
    await (await artifacts()).upload(output, never);
    expect(server.blobs.get(output.digest)).toEqual(await readFile(output.path));
    expect(server.requests.filter((line) => line.startsWith('GET')).length).toBeGreaterThanOrEqual(
      1,
    );
    expect(server.requests.filter((line) => line.startsWith('PATCH'))).toHaveLength(5);
  });

  test('begins anew when the upload has expired', async () => {
    const output = await anOutput(randomBytes(2_000));
    server.expiresAfterChunks = 2;
    await (await artifacts()).upload(output, never);
    expect(server.blobs.get(output.digest)).toEqual(await readFile(output.path));
    expect(server.requests.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  test('bytes that the orchestrator refuses are not sent again', async () => {
    const output = { ...(await anOutput(randomBytes(100))), digest: digestOf(randomBytes(5)) };
    await expect((await artifacts()).upload(output, never)).rejects.toMatchObject({
      code: 'OUTPUT_NOT_STORED',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('a file that is shorter than its runtime said is refused', async () => {
    const output = { ...(await anOutput(randomBytes(100))), sizeBytes: 101 };
    await expect((await artifacts()).upload(output, never)).rejects.toMatchObject({
      code: 'OUTPUT_NOT_STORED',
    });
  });

  test('a link is not followed', async () => {
    const output = await anOutput(randomBytes(100));
    const link = join(folder, 'link');
    await symlink(output.path, link);
    await expect(
      (await artifacts()).upload({ ...output, path: link }, never),
    ).rejects.toMatchObject({ code: 'ELOOP' });
  });
});
