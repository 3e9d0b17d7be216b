import type { AccountId, JobId } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdentityModule } from '../identity/identity.module.js';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { ArtifactsModule } from './artifacts.module.js';
import { ArtifactsService } from './artifacts.service.js';
import { RemovalService } from './removal.service.js';
import { bytesCall, get, put, someBytes } from './testing/artifact-calls.js';

const KIB = 1024;

let host: StageHost;
let artifacts: ArtifactsService;
/** What a later stage says it needs. */
let needed: string | null = null;

beforeAll(async () => {
  host = await startStages([IdentityModule, ArtifactsModule]);
  artifacts = host.app.get(ArtifactsService);
  host.app.get(RemovalService).askBefore(() => Promise.resolve(needed));
});
afterAll(() => host.stop());

const anAccount = async () => await login(host, aWallet());
const remove = (token: string, digest: string) =>
  bytesCall(host, 'DELETE', `/v1/artifacts/${digest}`, token);
const stored = async (accountId: string) =>
  (
    await host.db.query<{ stored_bytes: bigint }>(
      'SELECT stored_bytes FROM artifact_usage WHERE owner_id = $1',
      [accountId],
    )
  )[0]?.stored_bytes;

test('what an account gives up is gone, with its quota', async () => {
  const { token, accountId } = await anAccount();
  const { bytes, digest } = someBytes(10 * KIB);
  const { bytes: others } = someBytes(KIB);
  await put(host, token, bytes);
  await put(host, token, others);
  expect(await stored(accountId)).toBe(BigInt(11 * KIB));
  expect((await remove(token, digest)).status).toBe(204);
  expect(await stored(accountId)).toBe(BigInt(KIB));
  expect((await get(host, token, digest)).status).toBe(404);
  expect((await artifacts.stat([digest])).size).toBe(0);
  expect((await remove(token, digest)).json).toMatchObject({ code: 'NOT_FOUND' });
  expect((await put(host, token, bytes)).status).toBe(201);
  expect((await get(host, token, digest)).bytes).toEqual(bytes);
});

test('what another account has stored as well stays its own', async () => {
  const [alice, bob] = [await anAccount(), await anAccount()];
  const { bytes, digest } = someBytes(KIB);
  await put(host, alice.token, bytes);
  expect((await remove(bob.token, digest)).status).toBe(404);
  await put(host, bob.token, bytes);
  expect((await remove(alice.token, digest)).status).toBe(204);
  expect((await get(host, alice.token, digest)).status).toBe(404);
  expect((await get(host, bob.token, digest)).bytes).toEqual(bytes);
});

test('what a job gave an account to read is not its to give up', async () => {
  const { token, accountId } = await anAccount();
  const other = await anAccount();
  const { bytes, digest } = someBytes(KIB);
  await put(host, other.token, bytes);
  const id = 'job_01890a5d000000000000000001' as JobId;
  await host.db.transaction((tx) =>
    artifacts.grant(tx, [digest], { kind: 'job', id, accountId: accountId as AccountId }),
  );
  expect((await remove(token, digest)).status).toBe(404);
  expect((await remove(other.token, digest)).status).toBe(204);
  expect((await get(host, token, digest)).bytes).toEqual(bytes);
});

test('what is needed is kept, and nothing about it changes', async () => {
  const { token, accountId } = await anAccount();
  const { bytes, digest } = someBytes(KIB);
  await put(host, token, bytes);
  needed = 'your job job_x';
  const refused = await remove(token, digest);
  needed = null;
  expect([refused.status, refused.json.code, refused.json.detail]).toEqual([
    409,
    'CONFLICT',
    `${digest} is needed by your job job_x.`,
  ]);
  expect(await stored(accountId)).toBe(BigInt(KIB));
  expect((await get(host, token, digest)).bytes).toEqual(bytes);
});

test('giving up while the same bytes are sent again ends with either all or nothing of them', async () => {
  const { token, accountId } = await anAccount();
  const { bytes, digest } = someBytes(4 * KIB);
  for (let round = 0; round < 10; round += 1) {
    await put(host, token, bytes);
    await Promise.all([remove(token, digest), put(host, token, bytes), remove(token, digest)]);
    const read = await get(host, token, digest);
    const usage = await stored(accountId);
    if (read.status === 200) expect([read.bytes, usage]).toEqual([bytes, BigInt(4 * KIB)]);
    else expect([read.status, usage]).toEqual([404, 0n]);
  }
});

test('giving up needs the scope', async () => {
  const { token } = await anAccount();
  const body = { name: 'reader', scopes: ['artifacts:read'] };
  const { key } = (await call(host, 'POST', '/v1/keys', { token, body })).body;
  expect((await remove(key, someBytes(1).digest)).status).toBe(403);
});
