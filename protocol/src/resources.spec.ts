import { describe, expect, test } from 'vitest';
import {
  Capabilities,
  parseCountRange,
  parseSizeRange,
  Resources,
  ResourcesSpec,
} from './resources.js';

test.each([
  ['24GB', { min: 24_576 }],
  ['24GB..', { min: 24_576 }],
  ['24GB..80GB', { min: 24_576, max: 81_920 }],
  ['512MB..1GB', { min: 512, max: 1_024 }],
  ['2TB', { min: 2_097_152 }],
  ['16 GB .. 32 GB', { min: 16_384, max: 32_768 }],
  ['8GB..8GB', { min: 8_192, max: 8_192 }],
  ['64TB', { min: 67_108_864 }],
])('the size %s is %j MiB', (text, range) => {
  expect(parseSizeRange(text)).toEqual(range);
});

test.each([
  '',
  '24',
  'GB',
  '..24GB',
  '24gb',
  '24GiB',
  '80GB..24GB',
  '1.5GB',
  '-1GB',
  '65TB',
  '1GB..65TB',
  '1GB...2GB',
  '99999999TB',
  '1GB\n',
])('%j is no size', (text) => {
  expect(parseSizeRange(text)).toBeNull();
});

test.each([
  [4, { min: 4_000 }],
  [0.5, { min: 500 }],
  ['4', { min: 4_000 }],
  ['4..', { min: 4_000 }],
  ['0.5..2', { min: 500, max: 2_000 }],
  ['0.001', { min: 1 }],
  ['1.005', { min: 1_005 }],
  ['4096', { min: 4_096_000 }],
])('the count %s is %j thousandths', (value, range) => {
  expect(parseCountRange(value)).toEqual(range);
});

test.each([
  '',
  '..',
  '..4',
  '2..1',
  '0.0001',
  '-1',
  '1e3',
  '0',
  '0..',
  '0.000',
  '4097',
  '1..4097',
  '99999',
  'four',
  ' 4',
])('%j is no count', (text) => {
  expect(parseCountRange(text)).toBeNull();
});

test.each([0, -1, NaN, Infinity, 1e-7, 5_000, 1e21])('the number %s is no count', (value) => {
  expect(parseCountRange(value)).toBeNull();
});

describe('resources of a spec', () => {
  test.each([
    {},
    {
      gpus: 1,
      vram: '24GB..',
      cpu: '4..',
      memory: '16GB..',
      disk: '50GB',
      gpuModels: ['H100', 'A100'],
    },
    { gpus: 0.001 },
    { gpus: 0.3 },
    { gpus: 63.999 },
    { gpus: 0, cpu: 4096 },
    { isolation: 'sandbox' },
  ])('may be %j', (resources) => {
    expect(ResourcesSpec.safeParse(resources).success).toBe(true);
  });

  test.each([
    { gpus: 64.001 },
    { gpus: -1 },
    { gpus: 0.0005 },
    { gpus: '1' },
    { cpu: 0 },
    { cpu: '5000' },
    { memory: 16 },
    { memory: '1EB' },
    { isolation: 'none' },
    { gpuModels: Array(33).fill('H100') },
    { gpuModels: [''] },
    { vramMib: 1 },
  ])('may not be %j', (resources) => {
    expect(ResourcesSpec.safeParse(resources).success).toBe(false);
  });
});

test('whatever a spec may ask for fits an offer', () => {
  const most = {
    gpuMilli: 64_000,
    vramMib: 67_108_864,
    cpuMilli: 4_096_000,
    memoryMib: 67_108_864,
    diskMib: 67_108_864,
  };
  expect(Resources.safeParse(most).success).toBe(true);
  for (const name of Object.keys(most) as (keyof typeof most)[]) {
    expect(Resources.safeParse({ ...most, [name]: most[name] + 1 }).success).toBe(false);
    expect(Resources.safeParse({ ...most, [name]: -1 }).success).toBe(false);
    expect(Resources.safeParse({ ...most, [name]: 0.5 }).success).toBe(false);
  }
});

test.each([
  ['tfjs/tensorflow/2.9.1/avx2/onednn-off', true],
  ['noop/1', true],
  ['', false],
  ['with a space', false],
  ['nul\u0000', false],
  ['ünïcode', false],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
])('a runtime may be of the class %j: %s', (name, taken) => {
  const capabilities = {
    runtimes: [{ name: 'tfjs', class: name }],
    isolation: 'sandbox',
    gpuModel: null,
    region: 'eu-1',
    os: 'linux',
    agent: 'tidemill/0.1.0',
  };
  expect(Capabilities.safeParse(capabilities).success).toBe(taken);
});
