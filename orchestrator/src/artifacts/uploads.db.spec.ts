import type { WorkerId } from '@tidemill/protocol';
import { readdir } from 'node:fs/promises';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdentityModule } from '../identity/identity.module.js';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { ArtifactsLoop } from './artifacts.loop.js';
import { ArtifactsModule } from './artifacts.module.js';
import { ArtifactLimits } from './limits.js';
import {
  admitWorkers,
  bytesCall,
  digestOf,
  get,
  put,
  someBytes,
} from './testing/artifact-calls.js';

const MIB = 1024 * 1024;
const limits: ArtifactLimits = {
  artifactBytes: 8 * MIB,
  accountBytes: 20 * MIB,
  workerBytes: 20 * MIB,
  workerKeepMs: 24 * 3_600_000,
  uploadTtlMs: 24 * 3_600_000,
  openUploads: 3,
};

let host: StageHost;

beforeAll(async () => {
  host = await startStages([IdentityModule, ArtifactsModule], {
    overrides: [{ provide: ArtifactLimits, useValue: limits }],
  });
  admitWorkers(host);
});
afterAll(() => host.stop());

const aToken = async () => (await login(host, aWallet())).token;
const create = (token: string, digest: string, sizeBytes: number) =>
  call(host, 'POST', '/v1/artifacts/uploads', { token, body: { digest, sizeBytes } });
const pathOf = (id: string) => `/v1/artifacts/uploads/${id}`;
const progress = (token: string, id: string) => call(host, 'GET', pathOf(id), { token });
const append = (token: string, id: string, offset: number, bytes: Uint8Array) =>
  bytesCall(host, 'PATCH', pathOf(id), token, {
    body: bytes,
    headers: { 'upload-offset': String(offset) },
  });
/** Compared as memory: comparing megabytes element by element holds the server up for seconds. */
const reads = async (token: string, digest: string, bytes: Buffer) =>
  (await get(host, token, digest)).bytes.equals(bytes);
const staging = () => readdir(join(host.dataDir, 'artifacts', 'staging'));

/** Starts sending a part of which only the beginning ever comes, over a connection of its own. */
async function hangingAppend(
  token: string,
  id: string,
  offset: number,
  begun: Uint8Array,
  length: number,
): Promise<ClientRequest> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/octet-stream',
    'content-length': length,
    'upload-offset': offset,
  };
  const sent = httpRequest(`${host.url}${pathOf(id)}`, { method: 'PATCH', headers, agent: false });
  sent.on('error', () => undefined); // it is cut on purpose
  await new Promise((resolve) => sent.write(begun, resolve));
  await expect
    .poll(async () => (await progress(token, id)).body.offset)
    .toBe(offset + begun.length);
  return sent;
}

describe('an upload in parts', () => {
  test('is stored with its last bytes', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(3 * MIB);
    const created = await create(token, digest, bytes.length);
    const { id } = created.body;
    expect([created.status, created.body.offset, created.headers.get('location')]).toEqual([
      201,
      0,
      pathOf(id),
    ]);
    expect((await append(token, id, 0, bytes.subarray(0, MIB))).json.offset).toBe(MIB);
    expect((await get(host, token, digest)).status).toBe(404);
    const last = await append(token, id, MIB, bytes.subarray(MIB));
    expect([last.status, last.headers.get('upload-offset')]).toEqual([200, String(bytes.length)]);
    expect(await reads(token, digest, bytes)).toBe(true);
    expect((await progress(token, id)).body.offset).toBe(bytes.length);
    expect((await append(token, id, bytes.length, Buffer.alloc(0))).status).toBe(200);
    expect(await staging()).toEqual([]);
  });

  test('goes on where a cut connection left it', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(4 * MIB);
    const { id } = (await create(token, digest, bytes.length)).body;
    const cut = await hangingAppend(token, id, 0, bytes.subarray(0, 1_234_567), bytes.length);
    cut.destroy();
    const { offset } = (await progress(token, id)).body;
    expect(offset).toBe(1_234_567);
    expect((await append(token, id, offset, bytes.subarray(offset))).status).toBe(200);
    expect(await reads(token, digest, bytes)).toBe(true);
  });

  test('goes on while the connection before it hangs', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(2 * MIB);
    const { id } = (await create(token, digest, bytes.length)).body;
    const hanging = await hangingAppend(token, id, 0, bytes.subarray(0, 500_000), bytes.length);
    const cut = new Promise((resolve) => hanging.once('close', resolve));
    expect((await append(token, id, 500_000, bytes.subarray(500_000))).status).toBe(200);
    await cut;
    expect(await reads(token, digest, bytes)).toBe(true);
  });

  test('refuses another offset and says which one', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(1_000);
    const { id } = (await create(token, digest, bytes.length)).body;
    await append(token, id, 0, bytes.subarray(0, 600));
    for (const offset of [0, 599, 601, 1_000]) {
      const refused = await append(token, id, offset, bytes.subarray(600, 700));
      expect([refused.status, refused.json.code]).toEqual([409, 'UPLOAD_OFFSET']);
      expect(refused.json.detail).toContain('600');
    }
    const head = await bytesCall(host, 'HEAD', pathOf(id), token);
    expect(head.headers.get('upload-offset')).toBe('600');
    expect((await append(token, id, 600, bytes.subarray(600))).status).toBe(200);
  });

  test('of nothing is complete with nothing', async () => {
    const token = await aToken();
    const nothing = Buffer.alloc(0);
    const { id } = (await create(token, digestOf(nothing), 0)).body;
    expect((await append(token, id, 0, nothing)).status).toBe(200);
    expect((await get(host, token, digestOf(nothing))).status).toBe(200);
  });

  test('of other bytes than its digest’s is refused and over', async () => {
    const token = await aToken();
    const { bytes } = someBytes(1_000);
    const { digest } = someBytes(1_000);
    const { id } = (await create(token, digest, bytes.length)).body;
    await append(token, id, 0, bytes.subarray(0, 500));
    const refused = await append(token, id, 500, bytes.subarray(500));
    expect([refused.status, refused.json.code]).toEqual([422, 'DIGEST_MISMATCH']);
    expect((await progress(token, id)).status).toBe(404);
    expect((await get(host, token, digest)).status).toBe(404);
    expect(await staging()).toEqual([]);
  });

  test('takes no byte more than it was started for, whether they are declared or not', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(1_000);
    const { id } = (await create(token, digest, 900)).body;
    expect((await append(token, id, 0, bytes)).json.code).toBe('ARTIFACT_TOO_LARGE');
    expect((await progress(token, id)).body.offset).toBe(0);
    const headers = { 'upload-offset': '0' };
    const chunked = await bytesCall(host, 'PATCH', pathOf(id), token, {
      body: new Blob([bytes]).stream(),
      headers,
    });
    expect(chunked.json.code).toBe('ARTIFACT_TOO_LARGE');
    expect((await progress(token, id)).body.offset).toBeLessThanOrEqual(900);
  });

  test('is its owner’s alone', async () => {
    const [mine, theirs] = [await aToken(), await aToken()];
    const { bytes, digest } = someBytes(1_000);
    const { id } = (await create(mine, digest, bytes.length)).body;
    for (const stranger of [theirs, `tmt_${'wrk_01890a5d000000000000000001' as WorkerId}`]) {
      expect((await progress(stranger, id)).body.code).toBe('NOT_FOUND');
      expect((await append(stranger, id, 0, bytes)).json.code).toBe('NOT_FOUND');
    }
    expect((await append(mine, id, 0, bytes)).status).toBe(200);
  });

  test('of bytes that others have needs all of them sent again', async () => {
    const [first, second] = [await aToken(), await aToken()];
    const { bytes, digest } = someBytes(1_000);
    await put(host, first, bytes);
    const { id, offset } = (await create(second, digest, bytes.length)).body;
    expect(offset).toBe(0);
    expect((await get(host, second, digest)).status).toBe(404);
    await append(second, id, 0, bytes);
    expect(await reads(second, digest, bytes)).toBe(true);
  });
});

describe('the room for uploads', () => {
  test('is set aside when one is started and free when it is over', async () => {
    const token = await aToken();
    const { bytes, digest } = someBytes(8 * MIB);
    expect((await create(token, digest, 8 * MIB + 1)).body.code).toBe('ARTIFACT_TOO_LARGE');
    const { id } = (await create(token, digest, bytes.length)).body;
    expect((await create(token, someBytes(1).digest, 8 * MIB)).status).toBe(201);
    expect((await create(token, someBytes(1).digest, 5 * MIB)).body.code).toBe('QUOTA_EXCEEDED');
    expect((await put(host, token, someBytes(5 * MIB).bytes)).json.code).toBe('QUOTA_EXCEEDED');
    expect((await append(token, id, 0, bytes)).status).toBe(200);
    expect((await put(host, token, someBytes(5 * MIB).bytes)).json.code).toBe('QUOTA_EXCEEDED');
    host.clock.advance(limits.uploadTtlMs);
    const again = (await login(host, aWallet())).token; // the first login has ended with the day
    expect((await create(again, digest, 8 * MIB)).status).toBe(201);
  });

  test('is for a few at once, however many are asked for', async () => {
    const token = await aToken();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => create(token, someBytes(1).digest, 1)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(limits.openUploads);
    expect(answers.filter(({ body }) => body.code === 'QUOTA_EXCEEDED')).toHaveLength(
      8 - limits.openUploads,
    );
  });
});

test('an upload that is not complete within a day is gone, and its bytes are swept', async () => {
  const worker = 'tmt_wrk_01890a5d000000000000000009'; // a worker's token here lasts for ever
  const { bytes, digest } = someBytes(1_000);
  const { id } = (await create(worker, digest, bytes.length)).body;
  await append(worker, id, 0, bytes.subarray(0, 500));
  expect(await staging()).toContain(id);
  host.clock.advance(limits.uploadTtlMs);
  expect((await progress(worker, id)).body.code).toBe('UPLOAD_GONE');
  expect((await append(worker, id, 500, bytes.subarray(500))).json.code).toBe('UPLOAD_GONE');
  while (await host.app.get(ArtifactsLoop).turn());
  expect(await staging()).not.toContain(id);
  expect((await progress(worker, id)).body.code).toBe('UPLOAD_GONE');
  host.clock.advance(limits.uploadTtlMs);
  while (await host.app.get(ArtifactsLoop).turn());
  expect((await progress(worker, id)).body.code).toBe('NOT_FOUND');
});
