import type { LeaseRef } from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../link/connection.js';
import { anId } from '../testing/builders.js';
import { VirtualTime } from '../testing/virtual-time.js';
import { Outflow } from './outflow.js';

function anOutflow() {
  const time = new VirtualTime();
  const sent: Outgoing[] = [];
  const outlet = {
    isConnected: true,
    mustWaitMs: 0,
    isOpen: () => outlet.isConnected,
    waitMs: () => outlet.mustWaitMs,
    send: (message: Outgoing) => {
      if (outlet.isConnected) sent.push(message);
      return outlet.isConnected;
    },
  };
  const lines = () => sent.flatMap((frame) => (frame.type === 'logs' ? frame.items : []));
  const steps = () =>
    sent.flatMap((frame) => (frame.type === 'progress' ? frame.items.map(({ step }) => step) : []));
  return { time, sent, outlet, outflow: new Outflow(time, outlet), lines, steps };
}

const aLease = (): LeaseRef => ({ attemptId: anId('attempt'), fence: 1 });
const note = (step: number) => ({ step, totalSteps: 100, metrics: { loss: 1 / step } });

describe('progress', () => {
  test('leaves at most four times a second, and only the newest', async () => {
    const { time, outflow, steps } = anOutflow();
    const lease = aLease();
    for (let step = 1; step <= 100; step += 1) {
      outflow.noteProgress(lease, note(step));
      await time.advance(20);
    }
    expect(steps()).toHaveLength(7);
    expect(steps()[0]).toBe(13);
  });

  test('of many attempts shares frames', async () => {
    const { time, sent, outflow } = anOutflow();
    for (let i = 0; i < 100; i += 1) outflow.noteProgress(aLease(), note(i));
    await time.advance(250);
    expect(sent.map((frame) => (frame.type === 'progress' ? frame.items.length : 0))).toEqual([
      64, 36,
    ]);
  });

  test('loses what JSON cannot carry, not the frame', async () => {
    const { time, sent, outflow } = anOutflow();
    outflow.noteProgress(aLease(), {
      step: 1.5,
      totalSteps: Number.NaN,
      metrics: { loss: Number.NaN, accuracy: 0.5 },
    });
    await time.advance(250);
    expect(sent).toMatchObject([
      { items: [{ step: 1, totalSteps: 0, metrics: { accuracy: 0.5 } }] },
    ]);
    expect(JSON.stringify(sent)).not.toContain('loss');
  });

  test('that waited through a break is sent when the session begins', async () => {
    const { time, outlet, outflow, steps } = anOutflow();
    outlet.isConnected = false;
    outflow.noteProgress(aLease(), note(7));
    await time.advance(10_000);
    outlet.isConnected = true;
    outflow.flush();
    expect(steps()).toEqual([7]);
  });
});

describe('log lines', () => {
  test('leave in order and numbered, at most 32 in a frame', async () => {
    const { time, sent, outflow, lines } = anOutflow();
    const lease = aLease();
    for (let i = 0; i < 70; i += 1) outflow.noteLog(lease, 'out', `line ${i}`);
    await time.advance(500);
    expect(lines().map(({ line, text }) => `${line} ${text}`)).toEqual(
      Array.from({ length: 70 }, (_, i) => `${i} line ${i}`),
    );
    expect(sent.map((frame) => (frame.type === 'logs' ? frame.items.length : 0))).toEqual([
      32, 32, 6,
    ]);
  });

  test('too many in a break lose the oldest, and the gap says how many', async () => {
    const { time, outlet, outflow, lines } = anOutflow();
    outlet.isConnected = false;
    const lease = aLease();
    for (let i = 0; i < 620; i += 1) outflow.noteLog(lease, 'out', `line ${i}`);
    outlet.isConnected = true;
    outflow.flush();
    await time.advance(10_000);
    expect(lines()).toHaveLength(501);
    expect(lines()[0]).toMatchObject({
      line: 119,
      text: expect.stringContaining('120 lines dropped') as string,
    });
    expect(lines()[1]).toMatchObject({ line: 120, text: 'line 120' });
  });

  test('of all attempts together stay within a bound, and who talks most gives way', async () => {
    const { time, outlet, outflow, lines } = anOutflow();
    outlet.isConnected = false;
    const leases = Array.from({ length: 10 }, aLease);
    const [quiet] = leases;
    for (const lease of leases) outflow.noteLog(lease, 'out', 'first');
    for (const lease of leases.slice(1))
      for (let i = 0; i < 480; i += 1) outflow.noteLog(lease, 'out', 'more');
    outlet.isConnected = true;
    outflow.flush();
    await time.advance(60_000);
    expect(lines().filter(({ text }) => !text.includes('dropped'))).toHaveLength(4_000);
    expect(lines().filter(({ attemptId }) => attemptId === quiet?.attemptId)).toHaveLength(1);
  });

  test('longer than a frame takes are cut', async () => {
    const { time, outflow, lines } = anOutflow();
    outflow.noteLog(aLease(), 'err', 'x'.repeat(5_000));
    await time.advance(250);
    expect(lines()[0]?.text).toBe(`${'x'.repeat(4_095)}…`);
  });

  test('wait while frames must wait', async () => {
    const { time, outlet, outflow, lines } = anOutflow();
    outlet.mustWaitMs = 100;
    outflow.noteLog(aLease(), 'out', 'patience');
    await time.advance(5_000);
    expect(lines()).toEqual([]);
    outlet.mustWaitMs = 0;
    await time.advance(300);
    expect(lines()).toHaveLength(1);
  });

  test('of an attempt that ended leave at once, or after the break', () => {
    const { outlet, outflow, lines } = anOutflow();
    const [first, second] = [aLease(), aLease()];
    outflow.noteLog(first, 'out', 'last words');
    outflow.finish(first.attemptId);
    expect(lines()).toHaveLength(1);
    outlet.isConnected = false;
    outflow.noteLog(second, 'out', 'last words');
    outflow.finish(second.attemptId);
    outlet.isConnected = true;
    outflow.flush();
    expect(lines()).toHaveLength(2);
  });

  test('of an attempt that was stopped are forgotten', async () => {
    const { time, sent, outflow } = anOutflow();
    const lease = aLease();
    outflow.noteLog(lease, 'out', 'never mind');
    outflow.noteProgress(lease, note(1));
    outflow.forget(lease.attemptId);
    await time.advance(1_000);
    expect(sent).toEqual([]);
  });
});
