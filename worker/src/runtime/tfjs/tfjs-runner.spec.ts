import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Digest, type TfjsTask, decodeCheckpoint, decodeNpy } from '@tidemill/protocol';
import type { RunEvents, RunLimits, RunOutcome, RunProgress } from '../runner.js';
import { buildWorker } from '../testing/build.js';
import {
  CNN,
  type Files,
  aTrainingTask,
  anInferenceTask,
  put,
  segmentsOf,
  topologyOf,
} from './testing/tasks.js';
import { TfjsRunner } from './tfjs-runner.js';

// Each test starts processes, and other tests share the machine.
vi.setConfig({ testTimeout: 120_000 });

const runner = new TfjsRunner();
const folder = mkdtempSync(join(tmpdir(), 'tidemill-runner-'));
const LIMITS: RunLimits = {
  wallMs: 60_000,
  memoryMib: 2_048,
  outputBytes: 64 * 1024 * 1024,
  logBytes: 65_536,
};
const silent: RunEvents = { onProgress: () => undefined, onLog: () => undefined };
let count = 0;

beforeAll(async () => {
  await buildWorker();
}, 180_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Wish {
  readonly limits?: Partial<RunLimits>;
  readonly events?: RunEvents;
  readonly signal?: AbortSignal;
  readonly with?: TfjsRunner;
}

/** Runs a task through the whole host side; the files lie in a cache folder, as a worker keeps them. */
async function run(files: Files, task: TfjsTask, wish: Wish = {}): Promise<RunOutcome> {
  count += 1;
  const workDir = join(folder, String(count));
  const cache = join(folder, `cache-${count}`);
  mkdirSync(workDir);
  mkdirSync(cache);
  const inputs = new Map<Digest, string>();
  for (const [digest, bytes] of files) {
    const path = join(cache, digest.slice(7));
    writeFileSync(path, bytes, { mode: 0o600 });
    inputs.set(digest, path);
  }
  const request = {
    workDir,
    payload: { runtime: 'tfjs' as const, tfjs: task },
    inputs,
    limits: { ...LIMITS, ...wish.limits },
  };
  return (wish.with ?? runner).run(
    request,
    wish.events ?? silent,
    wish.signal ?? new AbortController().signal,
  );
}

/** Processes this one has started itself. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function succeeded(outcome: RunOutcome): Extract<RunOutcome, { state: 'succeeded' }> {
  if (outcome.state !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return outcome;
}

function output(outcome: RunOutcome, name: string): Uint8Array {
  const found = succeeded(outcome).outputs.find((file) => file.name === name);
  if (found === undefined) throw new Error(`there is no output ${name}`);
  return readFileSync(found.path);
}

describe('a tfjs attempt in its own process', () => {
  test('trains, commits and leaves a model that another attempt can use', async () => {
    const files: Files = new Map();
    const progress: RunProgress[] = [];
    const outcome = succeeded(
      await run(files, aTrainingTask(files), {
        events: { ...silent, onProgress: (step) => progress.push(step) },
      }),
    );
    expect(outcome.outputs.map(({ name }) => name)).toEqual([
      'checkpoint.bin',
      'model.json',
      'weights.bin',
    ]);
    expect(outcome.runtimeClass).toMatch(
      /^tfjs\/(tensorflow|wasm)\/\d+\.\d+\.\d+\/[a-z0-9-]+\/onednn-off$/,
    );
    expect(Number(outcome.metrics['valAccuracy'])).toBeGreaterThan(0.9);
    expect(progress.length).toBeGreaterThan(0);
    expect(progress[0]).toMatchObject({
      totalSteps: 40,
      metrics: { loss: expect.any(Number) as number },
    });
    expect(outcome.usage.maxRssMib).toBeGreaterThan(50);
    for (const file of outcome.outputs) expect(statSync(file.path).size).toBe(file.sizeBytes);

    const inference = anInferenceTask(
      files,
      output(outcome, 'model.json'),
      output(outcome, 'weights.bin'),
      48,
    );
    const inferred = await run(files, inference);
    const labels = decodeNpy(output(inferred, 'labels.npy'));
    expect(
      labels.ok && [...labels.value.values].filter((label, row) => label === row % 3).length,
    ).toBeGreaterThan(40);
    expect(succeeded(inferred).commitment).toMatch(/^[0-9a-f]{64}$/);
  });

  test('gives the same commitments in other processes, and from a border as straight through', async () => {
    const files: Files = new Map();
    const ends: string[][] = [];
    for (let round = 0; round < 2; round++) {
      const commitments: string[] = [];
      let checkpoint: Digest | null = null;
      for (const task of segmentsOf(aTrainingTask(files), [13])) {
        const outcome = succeeded(await run(files, { ...task, checkpoint }));
        checkpoint = put(files, output(outcome, 'checkpoint.bin'));
        commitments.push(outcome.commitment ?? '');
        expect(checkpoint).toBe(`sha256:${outcome.commitment}`);
      }
      ends.push(commitments);
    }
    expect(ends[0]).toEqual(ends[1]);
    expect(new Set(ends[0]).size).toBe(2);
  });

  test('writes a checkpoint that says where it stands', async () => {
    const files: Files = new Map();
    const outcome = await run(files, aTrainingTask(files, { change: { toStep: 25 } }));
    expect(decodeCheckpoint(output(outcome, 'checkpoint.bin'))).toMatchObject({
      ok: true,
      value: { step: 25, cursor: { epoch: 1, row: 40 } },
    });
    expect(succeeded(outcome).outputs.map(({ name }) => name)).toEqual(['checkpoint.bin']);
  });

  test('takes and gives back what is much larger than a pipe holds', async () => {
    const files: Files = new Map();
    const layers = [
      { class_name: 'Dense', config: { name: 'wide', units: 1_500, kernel_initializer: 'zeros' } },
      {
        class_name: 'Dense',
        config: { name: 'out', units: 3, activation: 'softmax', kernel_initializer: 'zeros' },
      },
    ];
    const task = aTrainingTask(files, {
      layers,
      inputShape: [1_000],
      rows: 2_000,
      change: { toStep: 1 },
    });
    const outcome = succeeded(await run(files, task));
    const checkpoint = output(outcome, 'checkpoint.bin');
    expect(checkpoint.length).toBeGreaterThan(3 * 1_500 * 1_000 * 4);
    expect(decodeCheckpoint(checkpoint)).toMatchObject({ ok: true, value: { step: 1 } });
  });

  test('works with WebAssembly where nothing native is wanted, in a class of its own', async () => {
    const files: Files = new Map();
    const outcome = succeeded(
      await run(files, aTrainingTask(files), { with: new TfjsRunner({ backend: 'wasm' }) }),
    );
    expect(outcome.runtimeClass).toMatch(/^tfjs\/wasm\//);
    expect(Number(outcome.metrics['valAccuracy'])).toBeGreaterThan(0.9);
  });
});

describe('an attempt that fails says why', () => {
  test('when its model does not compile', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, {
      topology: topologyOf([{ class_name: 'Lambda', config: {} }], [8]),
    });
    expect(await run(files, task)).toMatchObject({
      state: 'failed',
      failure: { code: 'MODEL_INVALID', fault: 'job' },
    });
  });

  test('when its library lacks a gradient that another worker has: the fault of the worker', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, { layers: CNN, inputShape: [8, 8, 1] });
    expect(await run(files, task, { with: new TfjsRunner({ backend: 'wasm' }) })).toMatchObject({
      state: 'failed',
      failure: { code: 'RUNTIME_UNSUPPORTED', fault: 'worker' },
    });
  });

  test('when its loss runs away', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, {
      layers: [{ class_name: 'Dense', config: { name: 'out', units: 1 } }],
      change: {
        loss: 'meanSquaredError',
        classes: null,
        metrics: [],
        optimizer: { type: 'sgd', settings: { learningRate: '1000000' } },
      },
    });
    expect(await run(files, task)).toMatchObject({
      state: 'failed',
      failure: { code: 'LOSS_NOT_FINITE', fault: 'job' },
    });
  });

  test('when it takes too long, and then nothing of it is left', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, {
      change: { toStep: 200_000, totalSteps: 200_000, epochs: 10_000 },
    });
    const outcome = await run(files, task, { limits: { wallMs: 2_500 } });
    expect(outcome).toMatchObject({ state: 'failed', failure: { code: 'TIMEOUT', fault: 'job' } });
    expect(outcome.usage.wallMs).toBeLessThan(6_000);
  });

  test('when it is a memory bomb', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, {
      topology: topologyOf([{ class_name: 'Dense', config: { name: 'out', units: 2e8 } }], [8]),
    });
    expect(await run(files, task, { limits: { memoryMib: 700 } })).toMatchObject({
      state: 'failed',
      failure: { code: 'OUT_OF_MEMORY', fault: 'job' },
    });
  });

  test('when its outputs are larger than allowed', async () => {
    const files: Files = new Map();
    expect(
      await run(files, aTrainingTask(files), { limits: { outputBytes: 2_000 } }),
    ).toMatchObject({ state: 'failed', failure: { code: 'OUTPUT_TOO_LARGE', fault: 'job' } });
  });

  test('when an input was not fetched, or is not what its digest says: the fault of the worker', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files);
    const [first] = files.keys();
    if (first === undefined) throw new Error('the task has inputs');
    const damaged: Files = new Map([...files, [first, new Uint8Array(8)]]);
    expect(await run(damaged, task)).toMatchObject({
      state: 'failed',
      failure: { code: 'INPUT_CORRUPT', fault: 'worker' },
    });
    damaged.delete(first);
    expect(await run(damaged, task)).toMatchObject({
      state: 'failed',
      failure: { code: 'INPUT_MISSING', fault: 'worker' },
    });
  });

  test('when something else kills its process: the fault of the worker', async () => {
    const files: Files = new Map();
    const task = aTrainingTask(files, {
      change: { toStep: 200_000, totalSteps: 200_000, epochs: 10_000 },
    });
    let isKilled = false;
    const events: RunEvents = {
      ...silent,
      onProgress: () => {
        if (!isKilled) for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL');
        isKilled = true;
      },
    };
    expect(await run(files, task, { events })).toMatchObject({
      state: 'failed',
      failure: { code: 'CHILD_LOST', fault: 'worker' },
    });
  });

  test('when it is stopped, within two seconds and without a verdict', async () => {
    const files: Files = new Map();
    const controller = new AbortController();
    const task = aTrainingTask(files, {
      change: { toStep: 200_000, totalSteps: 200_000, epochs: 10_000 },
    });
    let stoppedMs = 0;
    const events: RunEvents = {
      ...silent,
      onProgress: () => {
        if (stoppedMs > 0) return;
        stoppedMs = performance.now();
        controller.abort();
      },
    };
    expect(await run(files, task, { events, signal: controller.signal })).toMatchObject({
      state: 'stopped',
    });
    expect(performance.now() - stoppedMs).toBeLessThan(2_000);
    expect(await run(files, task, { signal: AbortSignal.abort() })).toMatchObject({
      state: 'stopped',
    });
  });
});
