import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type FakeOrchestrator,
  fakeOrchestrator,
  type Handler,
  refusal,
} from '../testing/fake-orchestrator.js';
import { quickClock } from '../testing/quick-clock.js';
import { Tidemill } from './tidemill.js';

let dir: string;
let fake: FakeOrchestrator | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-artifacts-'));
});
afterEach(async () => {
  rmSync(dir, { recursive: true });
  await fake?.close();
});

async function client(routes: Record<string, Handler>): Promise<Tidemill> {
  fake = await fakeOrchestrator(routes);
  return new Tidemill({ url: fake.url, key: 'tm_secret', clock: quickClock() });
}

const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const stored: Handler = (request) => ({
  status: 201,
  json: {
    digest: request.path.split('/').at(-1),
    sizeBytes: request.body.length,
    createdAt: 'now',
  },
});
const small = Buffer.from('eight by eight');

test('bytes are stored under their digest', async () => {
  const tidemill = await client({ 'PUT /v1/artifacts/*': stored });
  const artifact = await tidemill.artifacts.put(small);
  expect(artifact).toEqual({ digest: digest(small), sizeBytes: small.length });
  expect(fake?.requests[0]).toMatchObject({ path: `/v1/artifacts/${digest(small)}`, body: small });
});

test('a file is stored as a stream, and again from its start after a refusal', async () => {
  const path = join(dir, 'x.npy');
  writeFileSync(path, small);
  const tidemill = await client({
    'PUT /v1/artifacts/*': (request, call) =>
      call === 1 ? refusal('UNAVAILABLE', 'busy') : stored(request, call),
  });
  await expect(tidemill.artifacts.put({ path })).resolves.toMatchObject({ digest: digest(small) });
  expect(fake?.requests.map(({ body }) => body.toString())).toEqual([
    small.toString(),
    small.toString(),
  ]);
});

test('an empty artifact can be stored', async () => {
  const path = join(dir, 'empty');
  writeFileSync(path, '');
  const tidemill = await client({ 'PUT /v1/artifacts/*': stored });
  await expect(tidemill.artifacts.put({ path })).resolves.toMatchObject({ sizeBytes: 0 });
});

/** The upload routes over a buffer; the piece number `cutAt` arrives by half before its connection breaks. */
function uploads(cutAt: number | null, keptBytes: Buffer[]): Record<string, Handler> {
  let arrived = 0;
  let size = 0;
  const view = (status = 200) => ({
    status,
    json: { id: 'upl_1', offset: arrived, sizeBytes: size, expiresAt: 'later' },
  });
  return {
    'GET /v1/artifacts/*': () => refusal('NOT_FOUND', 'not stored'),
    'GET /v1/artifacts/uploads/upl_1': () => view(),
    'POST /v1/artifacts/uploads': (request) => {
      size = (request.json() as { sizeBytes: number }).sizeBytes;
      return view(201);
    },
    'PATCH /v1/artifacts/uploads/upl_1': (request, call) => {
      if (Number(request.headers['upload-offset']) !== arrived)
        return refusal('UPLOAD_OFFSET', 'not here');
      const cut = call === cutAt;
      const piece = cut ? request.body.subarray(0, request.body.length / 2) : request.body;
      keptBytes.push(piece);
      arrived += piece.length;
      return cut ? null : view();
    },
  };
}

const large = Buffer.alloc(20 * 1024 * 1024, 'tide');

test('what is not needed any more can be given up', async () => {
  const tidemill = await client({
    'DELETE /v1/artifacts/*': (_, call) =>
      call === 1 ? refusal('CONFLICT', 'a job reads it') : { status: 204 },
  });
  const conflict = { code: 'CONFLICT' };
  await expect(tidemill.artifacts.delete(digest(small))).rejects.toMatchObject(conflict);
  await expect(tidemill.artifacts.delete(digest(small))).resolves.toBeUndefined();
  const { path = '' } = fake?.requests[1] ?? {};
  expect(decodeURIComponent(path)).toBe(`/v1/artifacts/${digest(small)}`);
});

test('large bytes go up in pieces', async () => {
  const kept: Buffer[] = [];
  const tidemill = await client(uploads(null, kept));
  await tidemill.artifacts.put(large);
  expect(kept).toHaveLength(3);
  expect(digest(Buffer.concat(kept))).toBe(digest(large));
});

test('a large file goes on from what had arrived when the connection broke', async () => {
  const path = join(dir, 'large.bin');
  writeFileSync(path, large);
  const kept: Buffer[] = [];
  const tidemill = await client(uploads(2, kept));
  await expect(tidemill.artifacts.put({ path })).resolves.toEqual({
    digest: digest(large),
    sizeBytes: large.length,
  });
  expect(kept.map(({ length }) => length / 1024 / 1024)).toEqual([8, 4, 8]);
  expect(digest(Buffer.concat(kept))).toBe(digest(large));
});

test('large bytes that are stored already are not sent', async () => {
  const tidemill = await client({
    'GET /v1/artifacts/*': () => ({ status: 206, bytes: Buffer.from('t') }),
  });
  await tidemill.artifacts.put(large);
  expect(fake?.requests).toHaveLength(1);
  expect(fake?.requests[0]?.headers.range).toBe('bytes=0-0');
});

test('what comes back is checked against its digest', async () => {
  const tidemill = await client({
    'GET /v1/artifacts/*': () => ({ bytes: Buffer.from('something else') }),
  });
  await expect(tidemill.artifacts.get(digest(small))).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  });
});

test('a download that breaks goes on where it stopped', async () => {
  const text = small.toString();
  const tidemill = await client({
    'GET /v1/artifacts/*': ({ headers }) =>
      headers.range === undefined
        ? {
            headers: { 'content-length': String(small.length) },
            pieces: [text.slice(0, 5)],
            cut: true,
          }
        : { status: 206, bytes: small.subarray(Number(/bytes=(\d+)-/.exec(headers.range)?.[1])) },
  });
  const path = join(dir, 'nested', 'copy.txt');
  await tidemill.artifacts.download(digest(small), path);
  expect(readFileSync(path)).toEqual(small);
  expect(fake?.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=5-']);
});

test('a download that is wrong leaves no file behind', async () => {
  const tidemill = await client({
    'GET /v1/artifacts/*': () => ({ bytes: Buffer.from('something else') }),
  });
  await expect(tidemill.artifacts.download(digest(small), join(dir, 'copy'))).rejects.toMatchObject(
    {
      code: 'DIGEST_MISMATCH',
    },
  );
  expect(readdirSync(dir)).toEqual([]);
});
