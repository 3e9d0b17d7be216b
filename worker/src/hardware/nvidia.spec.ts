import { expect, test } from 'vitest';
import { nvidiaGpus, parseGpus } from './nvidia.js';

test('cards are read from what nvidia-smi prints', async () => {
  const run = () => Promise.resolve('NVIDIA H100 80GB HBM3, 81559\nNVIDIA A100-SXM4-40GB, 40960\n');
  expect(await nvidiaGpus(run)).toEqual([
    { model: 'NVIDIA H100 80GB HBM3', vramMib: 81_559 },
    { model: 'NVIDIA A100-SXM4-40GB', vramMib: 40_960 },
  ]);
});

test('a machine without nvidia-smi has no cards', async () => {
  expect(await nvidiaGpus(() => Promise.reject(new Error('ENOENT')))).toEqual([]);
});

test('what is no card is left out', () => {
  expect(parseGpus('No devices were found\nNVIDIA GH200, [N/A]\n\n')).toEqual([]);
});
