import { expect, it } from 'vitest';
import { startMeter } from './meter.js';

it('says what was used since the start, by name and together', () => {
  const read = startMeter({ us: process.pid });
  const started = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(started);
    if (user + system > 100_000) break;
  }
  const spent = read();
  expect(spent.cpuSeconds.us).toBeGreaterThanOrEqual(0.09);
  expect(spent.totalCpuSeconds).toBe(spent.cpuSeconds.us);
  expect(spent.wallSeconds).toBeGreaterThan(0.05);
});
