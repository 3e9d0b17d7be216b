import { describe, expect, test } from 'vitest';
import { NoopRunner } from './noop.js';
import type { RunRequest } from './runner.js';

/** A clock that stands still until a timer is waited for, then jumps to it. */
function virtual() {
  let now = 1_000;
  const timers = {
    after(ms: number, run: () => void) {
      let isOn = true;
      queueMicrotask(() => {
        if (!isOn) return;
        now += ms;
        run();
      });
      return () => {
        isOn = false;
      };
    },
  };
  return new NoopRunner({ monotonicMs: () => now }, timers);
}

const events = { onProgress: () => undefined, onLog: () => undefined };

function request(noop: { sleepMs?: number; fail?: string }, wallMs = 5_000): RunRequest {
  return {
    workDir: '/nowhere',
    payload: { runtime: 'noop', noop },
    inputs: new Map(),
    limits: { wallMs, memoryMib: 1, outputBytes: 0, logBytes: 0 },
  };
}

describe('a noop attempt', () => {
  test('succeeds with nothing to show', async () => {
    const outcome = await virtual().run(request({}), events, new AbortController().signal);
    expect(outcome).toMatchObject({
      state: 'succeeded',
      outputs: [],
      commitment: null,
      usage: { wallMs: 0 },
    });
  });

  test('takes as long as it is told', async () => {
    const outcome = await virtual().run(
      request({ sleepMs: 700 }),
      events,
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({ state: 'succeeded', usage: { wallMs: 700 } });
  });

  test('is not over early, though a timer is', async () => {
    let now = 0;
    const early = {
      after: (ms: number, run: () => void) => {
        queueMicrotask(() => {
          now += Math.max(0.5, ms - 0.6);
          run();
        });
        return () => undefined;
      },
    };
    const runner = new NoopRunner({ monotonicMs: () => now }, early);
    const outcome = await runner.run(
      request({ sleepMs: 50 }),
      events,
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({ state: 'succeeded', usage: { wallMs: 50 } });
  });

  test('fails as it is told, and that is the fault of the job', async () => {
    const outcome = await virtual().run(
      request({ fail: 'on purpose' }),
      events,
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({
      state: 'failed',
      failure: { code: 'FAILED_AS_TOLD', fault: 'job', message: 'on purpose' },
    });
  });

  test('ends at its limit', async () => {
    const outcome = await virtual().run(
      request({ sleepMs: 9_000 }, 2_000),
      events,
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({
      state: 'failed',
      failure: { code: 'TIMEOUT' },
      usage: { wallMs: 2_000 },
    });
  });

  test('stops when it is stopped, before or in the middle', async () => {
    expect(
      await virtual().run(request({ sleepMs: 10 }), events, AbortSignal.abort()),
    ).toMatchObject({ state: 'stopped' });
    const controller = new AbortController();
    const running = virtual().run(request({ sleepMs: 10 }), events, controller.signal);
    controller.abort();
    expect(await running).toMatchObject({ state: 'stopped' });
  });
});
