import { expect, test } from 'vitest';
import { VirtualTime } from '../testing/virtual-time.js';
import { Heartbeat } from './heartbeat.js';

function aHeartbeat(random = 0.5) {
  const time = new VirtualTime();
  const happened: string[] = [];
  const heartbeat = new Heartbeat(
    { clock: time, timers: time, random: () => random },
    {
      beat: () => happened.push(`beat ${time.monotonicMs()}`),
      silent: () => happened.push(`silent ${time.monotonicMs()}`),
      selfStop: () => happened.push(`stop ${time.monotonicMs()}`),
    },
  );
  return { time, happened, heartbeat };
}

const timing = { heartbeatMs: 5_000, selfStopMs: 12_000 };

test('beats come at the interval, the first at a random moment of it', async () => {
  const { time, happened, heartbeat } = aHeartbeat(0.2);
  heartbeat.begin(timing);
  for (let i = 0; i < 12; i += 1) {
    await time.advance(1_000);
    heartbeat.heard();
  }
  expect(happened).toEqual(['beat 1000', 'beat 6000', 'beat 11000']);
});

test('silence is told after two intervals, the stop after its time', async () => {
  const { time, happened, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  await time.advance(60_000);
  expect(happened.filter((what) => !what.startsWith('beat'))).toEqual([
    'silent 10000',
    'stop 12000',
  ]);
});

test('the time of the stop counts from the last frame', async () => {
  const { time, happened, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  await time.advance(9_999);
  heartbeat.heard();
  await time.advance(11_999);
  expect(happened.filter((what) => what.startsWith('stop'))).toEqual([]);
  await time.advance(1);
  expect(happened.filter((what) => what.startsWith('stop'))).toEqual(['stop 21999']);
});

test('the clock goes on without a connection', async () => {
  const { time, happened, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  await time.advance(3_000);
  heartbeat.pause();
  await time.advance(60_000);
  expect(happened).toEqual(['beat 2500', 'silent 10000', 'stop 12000']);
});

test('after a stop the next session is watched again', async () => {
  const { time, happened, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  heartbeat.pause();
  await time.advance(20_000);
  heartbeat.begin(timing);
  heartbeat.pause();
  await time.advance(20_000);
  expect(happened).toEqual(['silent 10000', 'stop 12000', 'silent 30000', 'stop 32000']);
});

test('a frame after a stop is watched again too', async () => {
  const { time, happened, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  heartbeat.pause();
  await time.advance(20_000);
  heartbeat.heard();
  await time.advance(20_000);
  expect(happened.filter((what) => what.startsWith('stop'))).toEqual(['stop 12000', 'stop 32000']);
});

test('ended, it leaves no timer', () => {
  const { time, heartbeat } = aHeartbeat();
  heartbeat.begin(timing);
  heartbeat.end();
  expect(time.pending).toBe(0);
});
