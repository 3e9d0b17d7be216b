import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { SequencerLoop } from './sequencer.loop.js';
import { MAX_BATCH, type Backlog, type Sequencer } from './sequencer.js';
import { StillClock } from './testing/still-clock.js';

/** A sequencer whose backlog the test sets. */
class ScriptedSequencer implements Pick<Sequencer, 'backlog' | 'claim' | 'place'> {
  seen: Backlog = { oldestAtMs: null, settled: false, mine: true };
  next: number | null = 0;
  readonly did: string[] = [];

  backlog(): Promise<Backlog> {
    return Promise.resolve(this.seen);
  }
  claim(): Promise<number> {
    this.did.push('claim');
    return Promise.resolve(0);
  }
  place(): Promise<number | null> {
    this.did.push('place');
    return Promise.resolve(this.next);
  }
}

function aLoop() {
  const clock = new StillClock();
  const telemetry = new Telemetry();
  const sequencer = new ScriptedSequencer();
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => errors.push(line) });
  const loop = new SequencerLoop(sequencer as unknown as Sequencer, clock, telemetry, log); // it has all the loop calls
  const unplaced = async () => (await telemetry.trailUnplaced.get()).values[0]?.value;
  return { clock, telemetry, sequencer, errors, loop, unplaced };
}

test('it takes the fence once, and places only when something is settled', async () => {
  const { sequencer, loop, clock, unplaced } = aLoop();
  expect(await loop.turn()).toBe(false);
  expect(await unplaced()).toBe(0);
  sequencer.seen = { oldestAtMs: clock.atMs - 1_500, settled: false, mine: true };
  await loop.turn();
  expect(await unplaced()).toBe(1.5);
  sequencer.seen = { oldestAtMs: clock.atMs, settled: true, mine: true };
  sequencer.next = 3;
  expect(await loop.turn()).toBe(false);
  expect(sequencer.did).toEqual(['claim', 'place']);
});

test('a full batch asks for another turn at once, and is counted', async () => {
  const { sequencer, loop, clock, telemetry } = aLoop();
  sequencer.seen = { oldestAtMs: clock.atMs, settled: true, mine: true };
  sequencer.next = MAX_BATCH;
  expect(await loop.turn()).toBe(true);
  expect((await telemetry.trailEvents.get()).values[0]?.value).toBe(MAX_BATCH);
});

test('without the fence it stands by, and takes it back when the other one leaves work lying', async () => {
  const { sequencer, loop, clock } = aLoop();
  await loop.turn();
  sequencer.did.length = 0;
  sequencer.seen = { oldestAtMs: clock.atMs - 2_999, settled: true, mine: false };
  expect(await loop.turn()).toBe(false);
  expect(sequencer.did).toEqual([]);
  sequencer.seen = { oldestAtMs: clock.atMs - 3_000, settled: true, mine: false };
  await loop.turn();
  expect(sequencer.did).toEqual(['claim', 'place']);
});

test('an event without a place after 10 seconds is an alarm, repeated every 10 seconds and not more', async () => {
  const { sequencer, loop, clock, errors } = aLoop();
  const oldestAtMs = clock.atMs;
  sequencer.seen = { oldestAtMs, settled: false, mine: true };
  for (let second = 0; second <= 31; second += 1) {
    clock.atMs = oldestAtMs + second * 1_000;
    await loop.turn();
  }
  expect(errors).toHaveLength(3);
  expect(errors[0]).toContain('"waitingMs":11000');
});
