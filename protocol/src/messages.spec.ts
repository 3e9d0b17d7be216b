import { describe, expect, test } from 'vitest';
import { TIMING, WorkerProfile } from './messages.js';

describe('the clocks of the worker protocol', () => {
  test('a worker stops by itself well before its lease can end', () => {
    expect(TIMING.selfStopMs).toBeLessThan(TIMING.leaseMs);
    expect(TIMING.leaseMs - TIMING.selfStopMs).toBeGreaterThanOrEqual(3_000);
  });

  test('one lost heartbeat stops nobody', () => {
    expect(TIMING.heartbeatMs * 2).toBeLessThan(TIMING.selfStopMs);
  });

  test('an offer and a break are over before a lease is', () => {
    expect(TIMING.offerMs).toBeLessThan(TIMING.leaseMs);
    expect(TIMING.reconnectMs).toBeLessThan(TIMING.leaseMs);
  });
});

const profile = {
  name: 'desk',
  capabilities: {
    runtimes: [{ name: 'noop', class: 'noop/1' }],
    isolation: 'none',
    gpuModel: null,
    region: '',
    os: 'linux',
    agent: 'tidemill/0.1.0',
  },
  resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 1_000, memoryMib: 1_024, diskMib: 0 },
  slots: 1,
  asks: { gpuHour: '0', cpuHour: '0' },
};

test.each(['desk', 'Büro 2', '机器-7', 'a.b_c'])('a worker may be called %s', (name) => {
  expect(WorkerProfile.safeParse({ ...profile, name }).success).toBe(true);
});

test.each(['', '\u001b[31mred', 'a\nb', 'a\u0000', '<b>', '\u202eoqp', 'a/b'])(
  'a worker may not be called %j',
  (name) => {
    expect(WorkerProfile.safeParse({ ...profile, name }).success).toBe(false);
  },
);

test.each([
  ['no runtime', { capabilities: { ...profile.capabilities, runtimes: [] } }],
  [
    'a runtime of its own',
    { capabilities: { ...profile.capabilities, runtimes: [{ name: 'mine', class: 'x' }] } },
  ],
  ['a region in capitals', { capabilities: { ...profile.capabilities, region: 'EU' } }],
  ['an unknown capability', { capabilities: { ...profile.capabilities, quantum: true } }],
  ['no slot', { slots: 0 }],
  ['an unknown resource', { resources: { ...profile.resources, tpus: 1 } }],
  ['an ask with a fraction', { asks: { gpuHour: '0.5', cpuHour: '0' } }],
])('a worker with %s is refused', (_, change) => {
  expect(WorkerProfile.safeParse({ ...profile, ...change }).success).toBe(false);
});
