import { MAX_TOPOLOGY_BYTES, type Digest, type JobSpec } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IntakeService } from '../artifacts/intake.service.js';
import { digestOf } from '../artifacts/testing/artifact-calls.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import type { ProblemError } from '../platform/http/problem.js';
import { startNetwork, StageSubmitter } from '../testing/network.js';

const MIB = 1024 ** 2;
const CSV = 'a,b,label\n1,2,0\n2,1,1\n3,5,0\n4,4,1\n';

let host: StageHost;
let alice: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

async function store(bytes: Buffer): Promise<Digest> {
  const digest = digestOf(bytes);
  const intake = host.app.get(IntakeService);
  await intake.put({ kind: 'account', id: alice.accountId }, digest, chunks(bytes));
  return digest;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** A small network for two columns, as `model.toJSON` writes it. */
const topology = {
  class_name: 'Sequential',
  config: {
    name: 'small',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'out', units: 2, activation: 'softmax', batch_input_shape: [null, 2] },
      },
    ],
  },
};

const training = (csv: Digest, model: object | Digest): JobSpec =>
  ({
    kind: 'training',
    verify: 'none',
    limits: { maxCost: 1, maxDuration: '60s' },
    runtime: {
      tfjs: {
        model: { topology: model },
        data: {
          train: { csv },
          features: { columns: ['a', 'b'] },
          label: { column: 'label', classes: 2 },
        },
        loss: 'categoricalCrossentropy',
        optimizer: 'sgd',
        epochs: 1,
        batchSize: 2,
        seed: 7,
      },
    },
  }) as unknown as JobSpec; // as JSON, before the schema

const refusal = (spec: JobSpec) =>
  alice.submit(spec).then(
    () => 'accepted',
    (cause: unknown) => {
      const { code, detail } = cause as ProblemError;
      return `${code}: ${detail}`;
    },
  );

test('a topology may be an artifact', async () => {
  const csv = await store(Buffer.from(CSV));
  const model = await store(Buffer.from(JSON.stringify(topology)));
  expect(await refusal(training(csv, model))).toBe('accepted');
});

test('one that is too large is the submitter’s to correct, not a fault of ours', async () => {
  const csv = await store(Buffer.from(CSV));
  const model = await store(Buffer.alloc(MAX_TOPOLOGY_BYTES + 1, ' '));
  expect(await refusal(training(csv, model))).toMatch(/^MODEL_TOO_LARGE: sha256:[0-9a-f]{64} has /);
});

test('one that is not JSON is not a model', async () => {
  const csv = await store(Buffer.from(CSV));
  const model = await store(Buffer.from('{"class_name"'));
  expect(await refusal(training(csv, model))).toMatch(/^MODEL_INVALID: /);
});

test('data that is too large to be surveyed is refused, whatever its size was when it was booked', async () => {
  const csv = await store(Buffer.alloc(16 * MIB + 1, '1'));
  expect(await refusal(training(csv, topology))).toMatch(
    /^DATA_INVALID: The data is 16777217 bytes/,
  );
  // Booked as smaller than it is: what is read is bounded all the same.
  await host.db.transaction(async (tx) => {
    await tx.query('DELETE FROM artifact_grants WHERE digest = $1', [csv]);
    await tx.query('DELETE FROM artifacts WHERE digest = $1', [csv]);
    await tx.query('INSERT INTO artifacts VALUES ($1, 10, now())', [csv]);
    await tx.query(
      `INSERT INTO artifact_grants (digest, owner_kind, owner_id, account_id, stored, created_at) VALUES ($1, 'account', $2, $2, true, now())`,
      [csv, alice.accountId],
    );
  });
  expect(await refusal(training(csv, topology))).toMatch(/^DATA_INVALID: sha256:[0-9a-f]{64} has /);
});

test('what is not the submitter’s own is missing, like what nobody stored', async () => {
  const bob = await StageSubmitter.with(host);
  const csv = await store(Buffer.from(CSV));
  const none = digestOf(Buffer.from('nobody stored this'));
  expect(await refusal(training(none, topology))).toBe(
    `ARTIFACT_MISSING: ${none} is not among your artifacts.`,
  );
  await expect(bob.submit(training(csv, topology))).rejects.toMatchObject({
    code: 'ARTIFACT_MISSING',
  });
});
