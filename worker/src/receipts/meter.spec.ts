import { expect, test } from 'vitest';
import { VirtualTime } from '../testing/virtual-time.js';
import { Meter } from './meter.js';

test('measures whole milliseconds until it is ended, and not on', async () => {
  const time = new VirtualTime();
  const meter = new Meter(time);
  await time.advance(10.9);
  expect(meter.elapsedMs()).toBe(10);
  meter.end();
  await time.advance(5);
  meter.end();
  expect(meter.elapsedMs()).toBe(10);
});
