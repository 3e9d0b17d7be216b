import { nodeSha256 } from '@tidemill/protocol/node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snapshots } from '../testing/arbitrary-snapshots.js';
import { aTask, aWorker, NOTHING, workerId } from '../testing/builders.js';
import { place, type Placement } from './place.js';
import { PlanInputsWriter, type KeptInputs } from './plan-inputs.js';
import { recordOf, replay, type DecisionRecord } from './replay.js';
import type { Snapshot } from './snapshot.js';

const RUNS = process.env['TIDEMILL_TEST_LONG'] === '1' ? 10_000 : 1_000;
/** Views whose decisions are replayed; each holds more than two. */
const VIEWS = process.env['TIDEMILL_TEST_LONG'] === '1' ? 500_000 : 5_000;
const writer = new PlanInputsWriter(nodeSha256);

/** Networks in which most tasks find a worker, beside those in which few do. */
const roomy: fc.Arbitrary<Snapshot> = fc
  .record({
    workers: fc.array(fc.record({ cores: fc.integer({ min: 1, max: 8 }), ask: fc.nat(3) }), {
      minLength: 1,
      maxLength: 6,
    }),
    tasks: fc.array(
      fc.record({
        cores: fc.integer({ min: 1, max: 3 }),
        priority: fc.nat(2),
        preferred: fc.option(fc.integer({ min: 1, max: 6 })),
        excluded: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
        family: fc.option(fc.constantFrom('a', 'b')),
        fence: fc.nat(4),
      }),
      { minLength: 1, maxLength: 14 },
    ),
  })
  .map(({ workers, tasks }) => ({
    workers: workers.map(({ cores, ask }, i) =>
      aWorker({ id: i + 1, total: { ...NOTHING, cpuMilli: cores * 1_000 }, cpuAsk: BigInt(ask) }),
    ),
    queued: tasks.map(({ cores, preferred, excluded, ...rest }, i) =>
      aTask({
        ...rest,
        id: i + 1,
        resources: { cpuMilli: cores * 1_000 },
        preferred: preferred === null ? null : workerId(preferred),
        excluded: excluded.map(workerId),
      }),
    ),
  }));
const views = fc.oneof(snapshots, roomy);

/** What the trail keeps of each placement of a plan, and what is kept beside it. */
function decided(snapshot: Snapshot): {
  kept: KeptInputs;
  decisions: { record: DecisionRecord; placement: Placement }[];
} {
  const plan = place(snapshot);
  const kept = writer.write(snapshot, plan);
  const decisions = plan.placements.map((placement) => {
    const task = snapshot.queued.find(({ id }) => id === placement.taskId);
    const record = {
      task: placement.taskId,
      ...recordOf(placement, task?.priority),
      inputs: kept.inputs.digest,
    };
    return { record: JSON.parse(JSON.stringify(record)) as DecisionRecord, placement };
  });
  return { kept, decisions };
}

const shown = ({ inputs, workerKinds }: KeptInputs) => ({
  text: inputs.text,
  workerKinds: workerKinds.map(({ text }) => text),
});

/** Each takes about a millisecond, and more on a busy machine. */
const REPLAY_DEADLINE = { timeout: VIEWS * 24 };

test(
  'every decision on thousands of random views is decided again, bit for bit (G16, T19)',
  REPLAY_DEADLINE,
  async ({ annotate }) => {
    let replayed = 0;
    fc.assert(
      fc.property(views, (snapshot) => {
        const { kept, decisions } = decided(snapshot);
        for (const { record, placement } of decisions) {
          expect(replay(record, shown(kept), nodeSha256)).toMatchObject({ equal: true, placement });
          replayed += 1;
        }
      }),
      { numRuns: VIEWS },
    );
    expect(replayed).toBeGreaterThan(2 * VIEWS);
    await annotate(`${replayed} decisions replayed (10,000 asked)`, 'T19');
  },
);

test('what was not placed leaves no mark on what was', () => {
  fc.assert(
    fc.property(views, (snapshot) => {
      const { placements } = place(snapshot);
      const placed = new Set(placements.map(({ taskId }) => taskId));
      const queued = snapshot.queued.filter(({ id }) => placed.has(id));
      expect(place({ ...snapshot, queued }).placements).toEqual(placements);
    }),
    { numRuns: RUNS },
  );
});

test('a record that says anything else is told from the replay, with the member that differs', () => {
  const members = ['worker', 'fence', 'priority', 'considered', 'removed', 'busy', 'candidates'];
  fc.assert(
    fc.property(roomy, fc.constantFrom(...members), fc.nat(), (snapshot, where, n) => {
      const { kept, decisions } = decided(snapshot);
      fc.pre(decisions.length > 0);
      const { record } = decisions[n % decisions.length] ?? { record: {} };
      const forged = { ...record, [where]: 'another' };
      const result = replay(forged, shown(kept), nodeSha256);
      expect(result).toMatchObject({ equal: false, code: 'DIFFERS', where });
    }),
    { numRuns: RUNS },
  );
});

describe('with inputs that are not those of the decision', () => {
  const snapshot = {
    queued: [aTask({ id: 1 }), aTask({ id: 2 })],
    workers: [aWorker({ id: 1 }), aWorker({ id: 2 })],
  };
  const { kept, decisions } = decided(snapshot);
  const record = decisions[0]?.record ?? {};
  /** The decision with other inputs, and a record that names them. */
  const with_ = (text: string, workerKinds = shown(kept).workerKinds) => {
    const digest = Buffer.from(nodeSha256(Buffer.from(text))).toString('hex');
    return replay({ ...record, inputs: digest }, { text, workerKinds }, nodeSha256);
  };

  test('an altered text is told by its digest', () => {
    const text = kept.inputs.text.replace('"revision"', '"x"').replace('1000', '1001');
    expect(replay(record, { ...shown(kept), text }, nodeSha256)).toMatchObject({
      code: 'INPUTS_DIGEST',
    });
  });

  test('a view in which the task goes nowhere, or elsewhere, is told', () => {
    const none = JSON.parse(kept.inputs.text) as { workers: unknown[]; tasks: unknown[] };
    expect(with_(JSON.stringify({ ...none, workers: [] }))).toMatchObject({ code: 'NOT_PLACED' });
    const one = JSON.stringify({ ...none, workers: none.workers.slice(1) });
    expect(with_(one)).toMatchObject({ code: 'DIFFERS', where: 'worker' });
  });

  test('what is no view, or names kinds that are not there, is told and never thrown', () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{}',
      kept.inputs.text.replace('plan-inputs/1', 'plan-inputs/2'),
    ]) {
      expect(with_(text)).toMatchObject({ code: 'INPUTS_MALFORMED' });
    }
    expect(with_(kept.inputs.text, [])).toMatchObject({ code: 'INPUTS_MALFORMED' });
    expect(with_(kept.inputs.text, ['{}'])).toMatchObject({ code: 'INPUTS_MALFORMED' });
  });

  test('a decision by rules of another version is not judged by these', () => {
    const result = replay({ ...record, policy: 'first-fit-score/1' }, shown(kept), nodeSha256);
    expect(result).toMatchObject({ code: 'POLICY_UNKNOWN' });
  });
});
