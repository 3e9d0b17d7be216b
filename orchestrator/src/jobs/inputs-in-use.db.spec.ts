import type { Digest } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IntakeService } from '../artifacts/intake.service.js';
import { RemovalService } from '../artifacts/removal.service.js';
import { digestOf } from '../artifacts/testing/artifact-calls.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';

let host: StageHost;
beforeAll(async () => {
  host = await startNetwork();
});
afterAll(() => host.stop());

async function store(owner: StageSubmitter, text: string): Promise<Digest> {
  const bytes = Buffer.from(text);
  const digest = digestOf(bytes);
  const intake = host.app.get(IntakeService);
  await intake.put({ kind: 'account', id: owner.accountId }, digest, chunks(bytes));
  return digest;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

test('what an open job of the account reads is kept until the job has ended', async () => {
  const alice = await StageSubmitter.with(host);
  const bob = await StageSubmitter.with(host);
  const digest = await store(alice, 'read by a job');
  await store(bob, 'read by a job');
  const id = await alice.submit(noopJob('nobody'));
  await host.db.query('UPDATE tasks SET inputs = $2 WHERE job_id = $1', [
    id,
    JSON.stringify([{ digest, sizeBytes: 13 }]),
  ]);
  const removal = host.app.get(RemovalService);
  await expect(removal.remove(alice.accountId, digest)).rejects.toMatchObject({
    code: 'CONFLICT',
    detail: `${digest} is needed by your job ${id}.`,
  });
  await expect(removal.remove(bob.accountId, digest)).resolves.toBeUndefined();
  await alice.cancel(id);
  await expect(removal.remove(alice.accountId, digest)).resolves.toBeUndefined();
});
