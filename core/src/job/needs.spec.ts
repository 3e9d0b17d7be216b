import { ISOLATION_LEVELS, JobSpec, Resources } from '@tidemill/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isolatesAtLeast, needsOf } from './needs.js';

const spec = (resources?: object) =>
  JobSpec.parse({ kind: 'batch', runtime: { noop: {} }, resources });

test('a job that asks for nothing fits any machine', () => {
  expect(needsOf(spec())).toEqual({
    runtime: 'noop',
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 100, memoryMib: 64, diskMib: 0 },
    gpuModels: [],
    isolation: 'none',
  });
});

test('a tfjs job gets room for TensorFlow', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const tfjs = {
    model: { topology: digest },
    data: { train: { csv: digest }, features: { columns: '*' }, label: { column: 'y' } },
    loss: 'meanSquaredError',
    epochs: 1,
  };
  const needs = needsOf(JobSpec.parse({ kind: 'training', runtime: { tfjs } }));
  expect(needs).toMatchObject({
    runtime: 'tfjs',
    resources: { cpuMilli: 500, memoryMib: 768, diskMib: 512 },
  });
});

test('ranges count with their minimum, in thousandths and MiB', () => {
  const asked = {
    gpus: 0.5,
    vram: '24GB..80GB',
    cpu: '1.5..4',
    memory: '16GB',
    disk: '1TB..',
    gpuModels: ['H100'],
    isolation: 'sandbox',
  };
  expect(needsOf(spec(asked))).toEqual({
    runtime: 'noop',
    resources: {
      gpuMilli: 500,
      vramMib: 24_576,
      cpuMilli: 1_500,
      memoryMib: 16_384,
      diskMib: 1_048_576,
    },
    gpuModels: ['H100'],
    isolation: 'sandbox',
  });
});

test('whatever a spec asks for fits an offer', () => {
  const milli = fc.integer({ min: 0, max: 64_000 });
  const size = fc
    .tuple(fc.integer({ min: 0, max: 64 }), fc.constantFrom('MB', 'GB', 'TB'))
    .map(([n, unit]) => `${n}${unit}`);
  const cpu = fc.integer({ min: 1, max: 4_096_000 }).map((n) => n / 1_000);
  fc.assert(
    fc.property(milli, size, cpu, size, size, (gpus, vram, cores, memory, disk) => {
      const { resources } = needsOf(spec({ gpus: gpus / 1_000, vram, cpu: cores, memory, disk }));
      expect(Resources.safeParse(resources).success).toBe(true);
      expect(resources.gpuMilli).toBe(gpus);
      expect(resources.cpuMilli).toBe(Math.round(cores * 1_000));
    }),
  );
});

test('isolation is at least what was asked for when it is as strong or stronger', () => {
  ISOLATION_LEVELS.forEach((level, i) => {
    ISOLATION_LEVELS.forEach((asked, j) => {
      expect(isolatesAtLeast(level, asked)).toBe(i >= j);
    });
  });
});
