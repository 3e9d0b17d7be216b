import type { AccountId, JobId, WorkerId } from '@tidemill/protocol';
import { readdir, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdentityModule } from '../identity/identity.module.js';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { ArtifactsLoop } from './artifacts.loop.js';
import { ArtifactsModule } from './artifacts.module.js';
import { ArtifactsService, ArtifactTooLargeError } from './artifacts.service.js';
import { ArtifactLimits } from './limits.js';
import type { Grantee } from './owner.js';
import {
  admitWorkers,
  bytesCall,
  digestOf,
  get,
  put,
  someBytes,
} from './testing/artifact-calls.js';
import { DamagedArtifactError } from './verified.js';

const KIB = 1024;
const HOUR_MS = 3_600_000;
const limits: ArtifactLimits = {
  artifactBytes: 64 * KIB,
  accountBytes: 100 * KIB,
  workerBytes: 80 * KIB,
  workerKeepMs: 24 * HOUR_MS,
  uploadTtlMs: 24 * HOUR_MS,
  openUploads: 2,
};
const workerId = 'wrk_01890a5d000000000000000001' as WorkerId;
const jobId = 'job_01890a5d000000000000000001' as JobId;
const worker = `tmt_${workerId}`;
const otherWorker = 'tmt_wrk_01890a5d000000000000000002';

let host: StageHost;
let artifacts: ArtifactsService;

beforeAll(async () => {
  host = await startStages([IdentityModule, ArtifactsModule], {
    overrides: [{ provide: ArtifactLimits, useValue: limits }],
  });
  artifacts = host.app.get(ArtifactsService);
  admitWorkers(host);
});
afterAll(() => host.stop());

const anAccount = async () => await login(host, aWallet());
const staging = () => readdir(join(host.dataDir, 'artifacts', 'staging'));
const pathOf = (digest: string) =>
  join(
    host.dataDir,
    'artifacts',
    'sha256',
    digest.slice(7, 9),
    digest.slice(9, 11),
    digest.slice(7),
  );
const grant = (digests: Parameters<ArtifactsService['grant']>[1], to: Grantee, until?: Date) =>
  host.db.transaction((tx) => artifacts.grant(tx, digests, to, until));
const revoke = (digests: Parameters<ArtifactsService['grant']>[1], of: Grantee) =>
  host.db.transaction((tx) => artifacts.revoke(tx, digests, of));

describe('a put', () => {
  test('stores bytes under their digest; doing it again is harmless and costs nothing more', async () => {
    const { token, accountId } = await anAccount();
    const { bytes, digest } = someBytes(10 * KIB);
    const first = await put(host, token, bytes);
    expect([first.status, first.json.digest, first.json.sizeBytes]).toEqual([
      201,
      digest,
      bytes.length,
    ]);
    expect((await put(host, token, bytes)).json).toEqual(first.json);
    expect((await get(host, token, digest)).bytes).toEqual(bytes);
    const usage = await host.db.query(
      'SELECT stored_bytes FROM artifact_usage WHERE owner_id = $1',
      [accountId],
    );
    expect(usage).toEqual([{ stored_bytes: BigInt(bytes.length) }]);
  });

  test('of nothing stores nothing under its digest', async () => {
    const { token } = await anAccount();
    expect((await put(host, token, Buffer.alloc(0))).status).toBe(201);
    const read = await get(host, token, digestOf(Buffer.alloc(0)));
    expect([read.status, read.bytes.length, read.headers.get('content-length')]).toEqual([
      200,
      0,
      '0',
    ]);
  });

  test('of other bytes than the digest’s is refused and leaves nothing', async () => {
    const { token } = await anAccount();
    const { bytes } = someBytes(KIB);
    const { digest } = someBytes(KIB);
    const refused = await put(host, token, bytes, digest);
    expect([refused.status, refused.json.code]).toEqual([422, 'DIGEST_MISMATCH']);
    expect((await get(host, token, digest)).status).toBe(404);
    expect((await artifacts.stat([digest, digestOf(bytes)])).size).toBe(0);
    expect(await staging()).toEqual([]);
  });

  test('whose body breaks off leaves nothing', async () => {
    const { token } = await anAccount();
    const { bytes, digest } = someBytes(20 * KIB);
    await sendPart(
      token,
      'PUT',
      `/v1/artifacts/${digest}`,
      bytes.subarray(0, 10 * KIB),
      bytes.length,
    );
    await expect.poll(staging).toEqual([]);
    expect((await artifacts.stat([digest])).size).toBe(0);
    expect((await put(host, token, bytes)).status).toBe(201);
  });

  test('of too much is refused, whether it says so or not', async () => {
    const { token } = await anAccount();
    const { bytes, digest } = someBytes(limits.artifactBytes + 1);
    const declared = await put(host, token, bytes);
    expect([declared.status, declared.json.code]).toEqual([413, 'ARTIFACT_TOO_LARGE']);
    const chunked = await bytesCall(host, 'PUT', `/v1/artifacts/${digest}`, token, {
      body: new Blob([bytes]).stream(),
    });
    expect([chunked.status, chunked.json.code]).toEqual([413, 'ARTIFACT_TOO_LARGE']);
    expect(await staging()).toEqual([]);
  });

  test('beyond the account’s quota is refused, whether it says so or not', async () => {
    const { token } = await anAccount();
    await put(host, token, someBytes(60 * KIB).bytes);
    const { bytes, digest } = someBytes(41 * KIB);
    const declared = await put(host, token, bytes);
    expect([declared.status, declared.json.code]).toEqual([413, 'QUOTA_EXCEEDED']);
    const chunked = await bytesCall(host, 'PUT', `/v1/artifacts/${digest}`, token, {
      body: new Blob([bytes]).stream(),
    });
    expect([chunked.status, chunked.json.code]).toEqual([413, 'QUOTA_EXCEEDED']);
    expect((await put(host, token, someBytes(40 * KIB).bytes)).status).toBe(201);
    expect((await put(host, token, someBytes(0).bytes)).status).toBe(201);
    expect((await put(host, token, someBytes(1).bytes)).json.code).toBe('QUOTA_EXCEEDED');
  });

  test('many at once do not pass the quota together', async () => {
    const { token, accountId } = await anAccount();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => put(host, token, someBytes(20 * KIB).bytes)),
    );
    const stored = answers.filter(({ status }) => status === 201).length;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThanOrEqual(5);
    expect(answers.filter(({ json }) => json.code === 'QUOTA_EXCEEDED')).toHaveLength(12 - stored);
    const usage = await host.db.query(
      'SELECT stored_bytes FROM artifact_usage WHERE owner_id = $1',
      [accountId],
    );
    expect(usage).toEqual([{ stored_bytes: BigInt(stored * 20 * KIB) }]);
    expect(await staging()).toEqual([]);
  });

  test('of the same bytes ten times at once stores them once', async () => {
    const { token, accountId } = await anAccount();
    const { bytes, digest } = someBytes(8 * KIB);
    const answers = await Promise.all(Array.from({ length: 10 }, () => put(host, token, bytes)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    const usage = await host.db.query(
      'SELECT stored_bytes FROM artifact_usage WHERE owner_id = $1',
      [accountId],
    );
    expect(usage).toEqual([{ stored_bytes: BigInt(bytes.length) }]);
    expect((await get(host, token, digest)).bytes).toEqual(bytes);
  });

  test.each([
    '../../etc/passwd',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    'sha256:..%2f..%2fetc%2fpasswd',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `SHA256:${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
    `sha256:${'a'.repeat(64)}%00`,
    `sha256:${'a'.repeat(63)}%EF%BC%A1`,
  ])('under %s is refused', async (name) => {
    const { token } = await anAccount();
    const { status } = await bytesCall(host, 'PUT', `/v1/artifacts/${name}`, token, { body: 'x' });
    expect([404, 422]).toContain(status);
    expect(await staging()).toEqual([]);
  });

  test('that happens to be JSON, and is called so, is stored as it is', async () => {
    const { token } = await anAccount();
    const body = '{"a":1}';
    const digest = digestOf(Buffer.from(body));
    const headers = { 'content-type': 'application/json' };
    const address = `/v1/artifacts/${digest}`;
    expect((await bytesCall(host, 'PUT', address, token, { body, headers })).status).toBe(201);
    expect((await bytesCall(host, 'GET', address, token)).bytes.toString()).toBe(body);
  });

  test('needs the scope', async () => {
    const { token } = await anAccount();
    const body = { name: 'reader', scopes: ['artifacts:read'] };
    const { key } = (await call(host, 'POST', '/v1/keys', { token, body })).body;
    expect((await put(host, key, Buffer.from('x'))).status).toBe(403);
  });
});

describe('a read', () => {
  test('by another account is the same as of nothing at all', async () => {
    const [mine, theirs] = [await anAccount(), await anAccount()];
    const { bytes, digest } = someBytes(KIB);
    await put(host, mine.token, bytes);
    const foreign = await get(host, theirs.token, digest);
    const absent = await get(host, theirs.token, someBytes(KIB).digest);
    expect([foreign.status, foreign.json.code]).toEqual([404, 'NOT_FOUND']);
    expect({ ...foreign.json, instance: '' }).toEqual({ ...absent.json, instance: '' });
    const conditional = await get(host, theirs.token, digest, {
      'if-none-match': '*',
      range: 'bytes=0-0',
    });
    expect(conditional.status).toBe(404);
    expect((await get(host, worker, digest)).status).toBe(404);
  });

  test('is won by sending the same bytes, which tells nothing of who has them', async () => {
    const [mine, theirs] = [await anAccount(), await anAccount()];
    const { bytes, digest } = someBytes(KIB);
    const first = await put(host, mine.token, bytes);
    const wrong = await put(host, theirs.token, bytes.subarray(1), digest);
    expect(wrong.json.code).toBe('DIGEST_MISMATCH');
    host.clock.advance(HOUR_MS);
    const second = await put(host, theirs.token, bytes);
    expect(
      Date.parse(second.json.createdAt) - Date.parse(first.json.createdAt),
    ).toBeGreaterThanOrEqual(HOUR_MS);
    expect((await get(host, theirs.token, digest)).bytes).toEqual(bytes);
    expect((await get(host, mine.token, digest)).bytes).toEqual(bytes);
  });

  test('is whole, in part, of the head, or of nothing new', async () => {
    const { token } = await anAccount();
    const { bytes, digest } = someBytes(10 * KIB);
    await put(host, token, bytes);
    const whole = await get(host, token, digest);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      etag: `"${digest}"`,
    });
    const part = await get(host, token, digest, { range: 'bytes=100-199' });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 100-199/${bytes.length}`,
    ]);
    expect(part.bytes).toEqual(bytes.subarray(100, 200));
    const end = await get(host, token, digest, { range: 'bytes=-1' });
    expect(end.bytes).toEqual(bytes.subarray(-1));
    const beyond = await get(host, token, digest, { range: `bytes=${bytes.length}-` });
    expect([beyond.status, beyond.json.code, beyond.headers.get('content-range')]).toEqual([
      416,
      'RANGE_INVALID',
      `bytes */${bytes.length}`,
    ]);
    const head = await bytesCall(host, 'HEAD', `/v1/artifacts/${digest}`, token);
    expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([
      200,
      String(bytes.length),
      0,
    ]);
    const known = await get(host, token, digest, { 'if-none-match': `"${digest}"` });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
  });

  test('of damaged bytes breaks off instead of ending', async () => {
    const { token } = await anAccount();
    const { bytes, digest } = someBytes(KIB);
    await put(host, token, bytes);
    const damaged = Buffer.from(bytes);
    damaged[500] = (damaged[500] ?? 0) ^ 1;
    await writeFile(pathOf(digest), damaged);
    await expect(get(host, token, digest)).rejects.toThrow();
    await expect(artifacts.readAll(digest, KIB)).rejects.toBeInstanceOf(DamagedArtifactError);
    await put(host, token, bytes);
    expect((await get(host, token, digest)).bytes).toEqual(bytes);
  });
});

describe('rights given by other stages', () => {
  test('let one worker read until they are revoked', async () => {
    const { token, accountId } = await anAccount();
    const { bytes, digest } = someBytes(KIB);
    await put(host, token, bytes);
    const to = { kind: 'worker', id: workerId } as const;
    expect(await grant([digest], to)).toEqual([]);
    expect((await get(host, worker, digest)).bytes).toEqual(bytes);
    expect((await get(host, otherWorker, digest)).status).toBe(404);
    expect(await artifacts.ownedBy(accountId as AccountId, [digest])).toEqual(new Set([digest]));
    await revoke([digest], to);
    await revoke([digest], to);
    expect((await get(host, worker, digest)).status).toBe(404);
    while (await host.app.get(ArtifactsLoop).turn());
    expect((await get(host, token, digest)).bytes).toEqual(bytes);
  });

  test('end by themselves, and a longer one is not shortened', async () => {
    const { token } = await anAccount();
    const { bytes, digest } = someBytes(KIB);
    await put(host, token, bytes);
    const to = { kind: 'worker', id: workerId } as const;
    const inMs = (ms: number) => new Date(host.clock.nowMs() + ms);
    await grant([digest], to, inMs(2 * HOUR_MS));
    await grant([digest], to, inMs(HOUR_MS));
    host.clock.advance(HOUR_MS);
    expect(await artifacts.mayRead({ kind: 'worker', workerId }, digest)).toBe(true);
    host.clock.advance(HOUR_MS);
    expect(await artifacts.mayRead({ kind: 'worker', workerId }, digest)).toBe(false);
  });

  test('name the digests that are not stored', async () => {
    const { digest } = someBytes(KIB);
    expect(await grant([digest], { kind: 'worker', id: workerId })).toEqual([digest]);
  });

  test('let a job’s account read what a worker produced, and nobody else', async () => {
    const [owner, other] = [await anAccount(), await anAccount()];
    const { bytes, digest } = someBytes(KIB);
    expect((await put(host, worker, bytes)).status).toBe(201);
    expect((await get(host, owner.token, digest)).status).toBe(404);
    await grant([digest], { kind: 'job', id: jobId, accountId: owner.accountId as AccountId });
    expect((await get(host, owner.token, digest)).bytes).toEqual(bytes);
    expect((await get(host, other.token, digest)).status).toBe(404);
    expect(await artifacts.ownedBy(owner.accountId as AccountId, [digest])).toEqual(
      new Set([digest]),
    );
    expect(await artifacts.ownedBy(other.accountId as AccountId, [digest])).toEqual(new Set());
  });

  test('cost no quota', async () => {
    const { token } = await anAccount();
    const id = 'wrk_01890a5d000000000000000003' as WorkerId;
    const { bytes, digest } = someBytes(60 * KIB);
    await put(host, token, bytes);
    await grant([digest], { kind: 'worker', id });
    expect((await put(host, `tmt_${id}`, someBytes(60 * KIB).bytes)).status).toBe(201);
    expect((await put(host, `tmt_${id}`, someBytes(30 * KIB).bytes)).json.code).toBe(
      'QUOTA_EXCEEDED',
    );
  });
});

describe('what a worker stored', () => {
  test('is deleted after a day and its quota is free again, except what a job took over', async () => {
    const id = 'wrk_01890a5d000000000000000004' as WorkerId;
    const { accountId } = await anAccount();
    const [taken, left] = [someBytes(40 * KIB), someBytes(40 * KIB)];
    for (const { bytes } of [taken, left])
      expect((await put(host, `tmt_${id}`, bytes)).status).toBe(201);
    await grant([taken.digest], { kind: 'job', id: jobId, accountId: accountId as AccountId });
    host.clock.advance(limits.workerKeepMs);
    while (await host.app.get(ArtifactsLoop).turn());
    expect([...(await artifacts.stat([taken.digest, left.digest])).keys()]).toEqual([taken.digest]);
    expect(Buffer.from(await artifacts.readAll(taken.digest, limits.artifactBytes))).toEqual(
      taken.bytes,
    );
    await expect(artifacts.readAll(left.digest, limits.artifactBytes)).rejects.toBeInstanceOf(
      DamagedArtifactError,
    );
    expect((await put(host, `tmt_${id}`, someBytes(60 * KIB).bytes)).status).toBe(201);
  });

  test('ends in a day even when it was given a right without an end', async () => {
    const id = 'wrk_01890a5d000000000000000005' as WorkerId;
    const { bytes, digest } = someBytes(KIB);
    await put(host, `tmt_${id}`, bytes);
    await grant([digest], { kind: 'worker', id });
    await put(host, `tmt_${id}`, bytes);
    host.clock.advance(limits.workerKeepMs);
    while (await host.app.get(ArtifactsLoop).turn());
    expect((await artifacts.stat([digest])).size).toBe(0);
  });
});

test('bytes that are stored again while they are deleted are not lost', async () => {
  const id = 'wrk_01890a5d000000000000000006' as WorkerId;
  const rounds = Array.from({ length: 30 }, () => someBytes(100));
  for (const { bytes } of rounds) await put(host, `tmt_${id}`, bytes);
  host.clock.advance(limits.workerKeepMs);
  const { token } = await anAccount();
  const deleting = (async () => {
    while (await host.app.get(ArtifactsLoop).turn());
  })();
  const answers = await Promise.all(rounds.map(({ bytes }) => put(host, token, bytes)));
  await deleting;
  expect(answers.map(({ status }) => status)).toEqual(rounds.map(() => 201));
  while (await host.app.get(ArtifactsLoop).turn());
  for (const { bytes, digest } of rounds)
    expect((await get(host, token, digest)).bytes).toEqual(bytes);
});

test('a sender that is refused reads why at once, and is cut off if it goes on', async () => {
  const { token } = await anAccount();
  const { digest } = someBytes(1);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-length': 5 * 1024 ** 3,
    'content-type': 'application/octet-stream',
  };
  const sent = httpRequest(`${host.url}/v1/artifacts/${digest}`, {
    method: 'PUT',
    headers,
    agent: false,
  });
  const cut = new Promise((resolve) => sent.once('close', resolve).on('error', resolve));
  const refused = new Promise<number | undefined>((resolve) =>
    sent.once('response', ({ statusCode }) => resolve(statusCode)),
  );
  sent.write(Buffer.alloc(KIB));
  expect(await refused).toBe(413);
  const ticking = setInterval(() => sent.write(Buffer.alloc(KIB)), 50);
  await cut;
  clearInterval(ticking);
  sent.destroy();
});

test('a read of everything has a limit', async () => {
  const { token } = await anAccount();
  const { bytes, digest } = someBytes(KIB);
  await put(host, token, bytes);
  expect(Buffer.from(await artifacts.readAll(digest, KIB))).toEqual(bytes);
  await expect(artifacts.readAll(digest, KIB - 1)).rejects.toBeInstanceOf(ArtifactTooLargeError);
});

/** Sends the head of a request and a part of its body, then cuts the connection. */
async function sendPart(
  token: string,
  method: string,
  path: string,
  part: Buffer,
  length: number,
): Promise<void> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-length': length,
    'content-type': 'application/octet-stream',
  };
  const sent = httpRequest(`${host.url}${path}`, { method, headers });
  sent.on('error', () => undefined); // the cut is meant
  await new Promise((resolve) => sent.write(part, resolve));
  await expect.poll(async () => (await staging()).length).toBe(1);
  sent.destroy();
}
