import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest, TaskPayload } from '@tidemill/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArtifactError, type ArtifactStore } from '../artifacts/store.js';
import type { Runner, RunOutcome, RunRequest } from '../runtime/runner.js';
import { anOffer, digestOf, NO_NEEDS } from '../testing/builders.js';
import { VirtualTime } from '../testing/virtual-time.js';
import { Attempt } from './attempt.js';
import { diskWorkFolders } from './disk-work-folders.js';
import { perform, type CheckpointNote, type Watch } from './perform.js';
import { offeredRunners } from './runners.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-perform-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const data = { digest: digestOf(Buffer.from('data')), sizeBytes: 4 };
const output = (name: string) => ({
  name,
  path: `/out/${name}`,
  digest: digestOf(Buffer.from(name)),
  sizeBytes: 1,
});
const usage = { wallMs: 1, cpuMs: 2, maxRssMib: 3 };
const succeeded: RunOutcome = {
  state: 'succeeded',
  outputs: [output('checkpoint.bin'), output('model.json')],
  commitment: 'ab'.repeat(32),
  metrics: { loss: '0.5' },
  runtimeClass: 'tfjs/test',
  usage,
};

/** A training attempt on a runner that ends as told; what happened is written down in order. */
async function anAttempt(outcome: RunOutcome, store: Partial<ArtifactStore> = {}) {
  const happened: string[] = [];
  const requests: RunRequest[] = [];
  const checkpoints: CheckpointNote[] = [];
  const runner: Runner = {
    runtime: 'tfjs',
    offer: () =>
      Promise.resolve({
        ok: true,
        offer: {
          runtime: 'tfjs',
          runtimeClass: 'tfjs/test',
          isolation: 'process',
          isolationDetail: '',
        },
      }),
    run: (request) => {
      happened.push('run');
      requests.push(request);
      return Promise.resolve(outcome);
    },
  };
  const artifacts: ArtifactStore = {
    fetch: ({ digest }) => {
      happened.push('fetch');
      return Promise.resolve({ path: `/cache/${digest}`, release: () => happened.push('release') });
    },
    upload: ({ path }) => {
      happened.push(`upload ${path}`);
      return Promise.resolve();
    },
    ...store,
  };
  const watch: Watch = {
    phase: (phase) => happened.push(phase),
    progress: () => undefined,
    log: () => undefined,
    checkpoint: (_, note) => {
      happened.push('checkpoint');
      checkpoints.push(note);
    },
  };
  // The runner here looks at nothing of the task but where its segment ends.
  const payload = {
    runtime: 'tfjs',
    tfjs: { type: 'tfjs.train', toStep: 40 },
  } as unknown as TaskPayload;
  const offer = anOffer({
    inputs: [data, data],
    needs: { ...NO_NEEDS, memoryMib: 300 },
    maxDurationMs: 9_000,
  });
  const attempt = new Attempt(offer, payload, new VirtualTime());
  const ports = {
    runners: await offeredRunners([runner], () => undefined),
    artifacts,
    folders: await diskWorkFolders(folder),
  };
  return {
    attempt,
    happened,
    requests,
    checkpoints,
    perform: () => perform(attempt, ports, watch),
  };
}

test('inputs come before the run, outputs after it, and a checkpoint is told of once it is stored', async () => {
  const all = await anAttempt(succeeded);
  expect(await all.perform()).toEqual({
    runtimeClass: 'tfjs/test',
    outcome: 'succeeded',
    failure: null,
    outputs: [output('checkpoint.bin'), output('model.json')].map(
      ({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes }),
    ),
    commitment: 'ab'.repeat(32),
    metrics: { loss: '0.5' },
    usage,
  });
  expect(all.happened).toEqual([
    'fetching',
    'fetch',
    'running',
    'run',
    'uploading',
    'upload /out/checkpoint.bin',
    'checkpoint',
    'upload /out/model.json',
    'release',
  ]);
  expect(all.checkpoints).toEqual([
    { step: 40, digest: output('checkpoint.bin').digest, sizeBytes: 1 },
  ]);
});

test('the runtime gets a folder of its own, its inputs by digest and its limits; the folder is gone afterwards', async () => {
  const { attempt, requests, perform: run } = await anAttempt(succeeded);
  await run();
  expect(requests[0]).toMatchObject({
    workDir: join(folder, attempt.lease.attemptId),
    inputs: new Map<Digest, string>([[data.digest, `/cache/${data.digest}`]]),
    limits: { wallMs: 9_000, memoryMib: 300 },
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a failure of the runtime is passed on and uploads nothing', async () => {
  const failure = { code: 'LOSS_NOT_FINITE', fault: 'job', message: 'NaN at step 3' } as const;
  const all = await anAttempt({ state: 'failed', failure, runtimeClass: 'tfjs/test', usage });
  expect(await all.perform()).toMatchObject({ outcome: 'failed', failure, usage });
  expect(all.happened.at(-1)).toBe('release');
});

test('an input that cannot be had is the fault of the worker', async () => {
  const all = await anAttempt(succeeded, {
    fetch: () => Promise.reject(new ArtifactError('INPUT_UNAVAILABLE', 'gone')),
  });
  expect(await all.perform()).toMatchObject({
    outcome: 'failed',
    failure: { code: 'INPUT_UNAVAILABLE', fault: 'worker' },
  });
  expect(all.requests).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});

test('an output that cannot be stored is the fault of the worker', async () => {
  const all = await anAttempt(succeeded, {
    upload: () => Promise.reject(new ArtifactError('OUTPUT_NOT_STORED', 'no room')),
  });
  expect(await all.perform()).toMatchObject({
    outcome: 'failed',
    failure: { code: 'OUTPUT_NOT_STORED', fault: 'worker' },
  });
  expect(all.checkpoints).toEqual([]);
});

test('an attempt that is stopped rejects with the reason and cleans up', async () => {
  const all = await anAttempt({ state: 'stopped', usage });
  all.attempt.controller.abort(new Error('cancelled'));
  await expect(all.perform()).rejects.toThrow('cancelled');
  expect(all.happened.at(-1)).toBe('release');
  expect(await readdir(folder)).toEqual([]);
});

test('what an earlier process left in the work folders is deleted', async () => {
  const folders = await diskWorkFolders(folder);
  await folders.make(anOffer().attemptId);
  expect(await readdir(folder)).toHaveLength(1);
  await diskWorkFolders(folder);
  expect(await readdir(folder)).toEqual([]);
});
