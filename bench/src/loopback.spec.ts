import { isIPv4 } from 'node:net';
import { expect, it } from 'vitest';
import { loopbackAddress } from './loopback.js';

it('gives four thousand clients valid addresses with fewer than 32 of them on each', () => {
  const users = new Map<string, number>();
  for (let index = 0; index < 4_000; index += 1) {
    const address = loopbackAddress(index);
    expect(isIPv4(address)).toBe(true);
    users.set(address, (users.get(address) ?? 0) + 1);
  }
  expect(Math.max(...users.values())).toBeLessThan(32);
  expect(users.has('127.0.0.1')).toBe(false);
});
