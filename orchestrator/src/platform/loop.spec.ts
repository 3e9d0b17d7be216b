import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SystemClock } from './clock.js';
import { Loops } from './loop.js';
import { Telemetry } from './telemetry/telemetry.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A loop whose turns are ended by hand. */
function aLoop(everyMs = 1_000) {
  const turns: { end: (more?: boolean) => void; fail: (cause: Error) => void }[] = [];
  const telemetry = new Telemetry();
  const loops = new Loops(new SystemClock(), pino({ level: 'silent' }), telemetry);
  const handle = loops.add({
    name: 'test',
    everyMs,
    turn: () => new Promise<boolean | void>((end, fail) => turns.push({ end, fail })),
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { loops, handle, turns, pass, telemetry };
}

test('nothing turns before the start; then the first turn is at once', async () => {
  const { loops, handle, turns, pass } = aLoop();
  handle.wake();
  await pass(5_000);
  expect(turns).toHaveLength(0);
  loops.onApplicationBootstrap();
  await pass(0);
  expect(turns).toHaveLength(1);
});

test('a loop that is added later starts by itself', async () => {
  const { loops, pass } = aLoop();
  loops.onApplicationBootstrap();
  const turn = vi.fn(() => Promise.resolve());
  loops.add({ name: 'late', everyMs: 1_000, turn });
  await pass(0);
  expect(turn).toHaveBeenCalledOnce();
});

test('the next turn comes after the interval, counted from the end of the last', async () => {
  const { loops, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  await pass(3_000);
  expect(turns).toHaveLength(1);
  turns[0]?.end();
  await pass(999);
  expect(turns).toHaveLength(1);
  await pass(1);
  expect(turns).toHaveLength(2);
});

test('a turn that says there is more is followed at once', async () => {
  const { loops, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  turns[0]?.end(true);
  await pass(0);
  expect(turns).toHaveLength(2);
});

test('many wakes before a turn are one', async () => {
  const { loops, handle, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  turns[0]?.end();
  await pass(0);
  for (let i = 0; i < 5; i += 1) handle.wake();
  await pass(25);
  expect(turns).toHaveLength(2);
  turns[1]?.end();
  await pass(999);
  expect(turns).toHaveLength(2);
});

test('a loop at rest answers a wake at once, a busy one begins a turn every 25 ms', async () => {
  const { loops, handle, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  turns[0]?.end();
  await pass(500);
  handle.wake();
  await pass(0);
  expect(turns).toHaveLength(2);
  turns[1]?.end();
  await pass(0);
  handle.wake();
  await pass(24);
  expect(turns).toHaveLength(2);
  await pass(1);
  expect(turns).toHaveLength(3);
});

test('a wake during a turn is answered by another turn and not by one beside it', async () => {
  const { loops, handle, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  handle.wake();
  await pass(500);
  expect(turns).toHaveLength(1);
  turns[0]?.end();
  await pass(0);
  expect(turns).toHaveLength(2);
});

test('a turn that fails is tried again after half a second, however often it is woken meanwhile', async () => {
  const { loops, handle, turns, pass, telemetry } = aLoop(60_000);
  loops.onApplicationBootstrap();
  await pass(0);
  handle.wake();
  turns[0]?.fail(new Error('no database'));
  await pass(499);
  expect(turns).toHaveLength(1);
  await pass(1);
  expect(turns).toHaveLength(2);
  expect(await telemetry.registry.metrics()).toContain(
    'tidemill_loop_failures_total{loop="test"} 1',
  );
});

test('a stop waits for the turn that runs, and no other begins', async () => {
  const { loops, handle, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  let isStopped = false;
  const stopping = loops.beforeApplicationShutdown().then(() => (isStopped = true));
  await pass(10_000);
  expect(isStopped).toBe(false);
  handle.wake();
  turns[0]?.end(true);
  await stopping;
  await pass(10_000);
  expect(turns).toHaveLength(1);
});

test('a stop between two turns is over at once', async () => {
  const { loops, turns, pass } = aLoop();
  loops.onApplicationBootstrap();
  await pass(0);
  turns[0]?.end();
  await pass(0);
  await loops.beforeApplicationShutdown();
  await pass(10_000);
  expect(turns).toHaveLength(1);
});
