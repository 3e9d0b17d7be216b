import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerProfile } from '@tidemill/protocol';
import { expect, test } from 'vitest';
import { configure } from '../config/env.js';
import { fixedProbe } from './fixed.js';
import { machineProbe } from './machine.js';
import { profileOf, type RuntimeFacts } from './profile.js';

const hardware = {
  cpuMilli: 16_000,
  memoryMib: 10_000,
  diskMib: 8_000,
  gpus: [
    { model: 'H100', vramMib: 80_000 },
    { model: 'H100', vramMib: 80_000 },
  ],
  os: 'linux x64',
};
const noop: RuntimeFacts = { name: 'noop', class: 'noop/1', usesGpu: false };
const onCard: RuntimeFacts = { name: 'tfjs', class: 'tfjs/tensorflow', usesGpu: true };

function profile(flags: readonly string[] = [], runtimes = [noop]) {
  const configuration = configure(['--orchestrator', 'http://a.example', ...flags], {});
  if (configuration.kind !== 'settings') throw new Error(JSON.stringify(configuration));
  return WorkerProfile.parse(profileOf(configuration.settings, hardware, runtimes, 'namespaces'));
}

test('lends what the machine has, with something left for its owner', () => {
  expect(profile()).toMatchObject({
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 16_000, memoryMib: 8_000, diskMib: 4_000 },
    slots: 16,
    capabilities: {
      gpuModel: 'H100',
      isolation: 'namespaces',
      runtimes: [{ name: 'noop', class: 'noop/1' }],
    },
  });
});

test('lends what its owner says', () => {
  const flags = [
    '--cpu-millis',
    '600',
    '--memory-mib',
    '512',
    '--disk-mib',
    '100',
    '--slots',
    '2',
    '--ask-cpu-hour',
    '0.05',
  ];
  expect(profile(flags)).toMatchObject({
    resources: { cpuMilli: 600, memoryMib: 512, diskMib: 100 },
    slots: 2,
    asks: { cpuHour: '50000' },
  });
  expect(profile(['--cpu-millis', '600']).slots).toBe(1);
});

test('lends cards only when a runtime can use them, or when its owner insists', () => {
  expect(profile([], [noop, onCard]).resources).toMatchObject({
    gpuMilli: 2_000,
    vramMib: 160_000,
  });
  expect(profile(['--gpus', '1']).resources).toMatchObject({ gpuMilli: 1_000, vramMib: 80_000 });
  expect(profile(['--gpus', '0'], [onCard]).resources).toMatchObject({ gpuMilli: 0, vramMib: 0 });
});

test('this machine can be looked at', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-probe-'));
  const found = await machineProbe(folder, () => Promise.resolve('H100, 81559')).probe();
  rmSync(folder, { recursive: true });
  expect(found.cpuMilli).toBeGreaterThanOrEqual(1_000);
  expect(found.memoryMib).toBeGreaterThan(64);
  expect(found.diskMib).toBeGreaterThan(0);
  expect(found.gpus).toEqual([{ model: 'H100', vramMib: 81_559 }]);
  expect(await fixedProbe(found).probe()).toEqual(found);
});
