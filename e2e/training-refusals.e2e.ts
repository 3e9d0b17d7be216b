import { encodeNpy, type ErrorCode } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemOf } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { NETWORK, stored, storedPuzzle, trainingJob, WIDTH } from './harness/puzzle.js';
import { sha256 } from './harness/receipts.js';
import { type Submitter, submitter } from './harness/submitter.js';

const ROWS = 40;

let orchestrator: Orchestrator;
let alice: Submitter;
let data: { x: string; y: string };

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
  data = await storedPuzzle(alice, ROWS);
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

/** The members of the tfjs block that a case changes. */
type Change = Record<string, unknown>;

async function refused(change: Change, verify: 'none' | 'standard' = 'none') {
  const job = trainingJob(data, { epochs: 1, every: '1s', verify });
  const answer = await alice.post({
    ...job,
    runtime: { tfjs: { ...(job.runtime.tfjs as object), ...change } },
  });
  return problemOf(answer);
}

const text = (value: string) => stored(alice, new TextEncoder().encode(value));
const floats = (rows: number, width: number, at: (i: number) => number) =>
  stored(
    alice,
    encodeNpy(
      Float32Array.from({ length: rows * width }, (_, i) => at(i)),
      [rows, width],
    ),
  );
const labels = (at: (row: number) => number, rows = ROWS) =>
  stored(
    alice,
    encodeNpy(
      Int32Array.from({ length: rows }, (_, row) => at(row)),
      [rows],
    ),
  );

const arrays = (x: string, y: string) => ({
  data: {
    train: { arrays: { x, y } },
    features: { array: 'x' },
    label: { array: 'y', classes: 3 },
  },
});
const csv = (digest: string, columns: unknown = '*') => ({
  data: {
    train: { csv: digest },
    features: { columns },
    label: { column: 'class', classes: 3 },
  },
});
const HEADER = 'a,b,c,d,e,f,g,h,class';
const rowsOf = (row: string) =>
  `${HEADER}\n${Array.from({ length: ROWS }, () => row).join('\n')}\n`;

/** A layers model of these layers, the first of which gets the shape of a row. */
function modelOf(...layers: { class_name: string; config: Record<string, unknown> }[]) {
  const [first, ...rest] = layers;
  const config = { ...first?.config, batch_input_shape: [null, WIDTH] };
  const all = [{ class_name: first?.class_name, config }, ...rest];
  return { model: { topology: { class_name: 'Sequential', config: { name: 'm', layers: all } } } };
}
const dense = (units: unknown, more: Record<string, unknown> = {}) => ({
  class_name: 'Dense',
  config: { name: 'out', units, activation: 'softmax', ...more },
});

test('the job that the others are made from is accepted', async () => {
  const job = await alice.submit(trainingJob(data, { epochs: 1, every: '1s' }));
  expect(job).toMatchObject({ state: 'queued', kind: 'training' });
  await alice.cancel(job.id);
});

describe('data that cannot be learned from is refused before anybody computes', () => {
  const cases: readonly (readonly [
    what: string,
    change: () => Promise<Change>,
    code?: ErrorCode,
  ])[] = [
    [
      'a number that is none',
      async () => arrays(await floats(ROWS, WIDTH, (i) => (i === 77 ? NaN : i)), data.y),
    ],
    [
      'a number without end',
      async () => arrays(await floats(ROWS, WIDTH, (i) => (i === 9 ? Infinity : i)), data.y),
    ],
    ['rows of another width', async () => arrays(await floats(ROWS, WIDTH + 1, (i) => i), data.y)],
    ['more rows than labels', async () => arrays(data.x, await labels((row) => row % 3, ROWS - 1))],
    ['a label outside its classes', async () => arrays(data.x, await labels((row) => row % 4))],
    ['a label below zero', async () => arrays(data.x, await labels((row) => (row % 3) - 1))],
    ['no rows', async () => arrays(await floats(0, WIDTH, () => 0), await labels(() => 0, 0))],
    ['an array that is none', async () => arrays(await text('not an array'), data.y)],
    ['an array that promises more than there is', async () => arrays(await lyingNpy(), data.y)],
    ['an array of Python objects', async () => arrays(await objectNpy(), data.y)],
    [
      'a CSV without the label column',
      async () => csv(await text(rowsOf('1,2,3,4,5,6,7,8,0').replace('class', 'kind'))),
    ],
    [
      'a CSV without a feature column',
      async () => csv(await text(rowsOf('1,2,3,4,5,6,7,8,0')), ['a', 'z']),
    ],
    [
      'a CSV with a word among the numbers',
      async () => csv(await text(rowsOf('1,2,three,4,5,6,7,8,0'))),
    ],
    ['a CSV with an empty field', async () => csv(await text(rowsOf('1,2,,4,5,6,7,8,0')))],
    [
      'a CSV with a short row',
      async () => csv(await text(rowsOf('1,2,3,4,5,6,7,8,0') + '1,2,3\n')),
    ],
    [
      'a CSV with a column twice',
      async () => csv(await text(rowsOf('1,2,3,4,5,6,7,8,0').replace('b,', 'a,'))),
    ],
    ['a CSV of a header alone', async () => csv(await text(`${HEADER}\n`))],
    ['an empty CSV', async () => csv(await text(''))],
    [
      'CSV bytes that are no text',
      async () => csv(await stored(alice, Uint8Array.of(0xff, 0xfe, 0x00, 0x31))),
    ],
    ['a batch larger than the data', async () => ({ batchSize: 8_000 })],
    [
      'data that nobody stored',
      async () => arrays(sha256('never stored'), data.y),
      'ARTIFACT_MISSING',
    ],
  ];
  for (const [what, change, code = 'DATA_INVALID'] of cases) {
    test(what, async () => {
      const problem = await refused(await change());
      expect(problem.code, problem.detail).toBe(code);
      expect(problem.detail.length).toBeGreaterThan(20);
    });
  }

  test('another submitter’s data, though its digest is known (G22)', async () => {
    const bob = await submitter(orchestrator);
    const answer = await bob.post(trainingJob(data, { epochs: 1, every: '1s' }));
    expect(problemOf(answer).code).toBe('ARTIFACT_MISSING');
  });

  /** A header that claims a hundred billion numbers over a few bytes. */
  function lyingNpy(): Promise<string> {
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 8), }", 64);
  }
  /** What a pickle would hide in. */
  function objectNpy(): Promise<string> {
    return npy("{'descr': '|O', 'fortran_order': False, 'shape': (40, 8), }", 2_560);
  }
  function npy(header: string, bodyBytes: number): Promise<string> {
    const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
    const head = Buffer.from([
      0x93,
      ...Buffer.from('NUMPY'),
      1,
      0,
      padded.length & 255,
      padded.length >> 8,
    ]);
    return stored(alice, Buffer.concat([head, Buffer.from(padded), Buffer.alloc(bodyBytes)]));
  }
});

describe('a model that cannot be run is refused before anybody loads it', () => {
  const cases: readonly (readonly [what: string, change: () => Change, code: ErrorCode])[] = [
    ['half a billion units', () => modelOf(dense(500_000_000)), 'MODEL_TOO_LARGE'],
    ['units beyond all numbers', () => modelOf(dense(1e300)), 'MODEL_INVALID'],
    ['units that are a word', () => modelOf(dense('many')), 'MODEL_INVALID'],
    ['no units', () => modelOf(dense(0)), 'MODEL_INVALID'],
    [
      'a layer that there is not',
      () => modelOf({ class_name: 'Backdoor', config: { name: 'x' } }),
      'MODEL_INVALID',
    ],
    [
      'a layer that is code',
      () => modelOf({ class_name: 'Lambda', config: { name: 'x' } }, dense(3)),
      'MODEL_INVALID',
    ],
    [
      'an activation that there is not',
      () => modelOf(dense(3, { activation: 'warp' })),
      'MODEL_INVALID',
    ],
    ['another number of outputs than classes', () => modelOf(dense(5)), 'MODEL_INVALID'],
    ['no layers', () => modelOf(), 'MODEL_INVALID'],
    ['two layers of one name', () => modelOf(dense(8), dense(3)), 'MODEL_INVALID'],
    [
      'an input that is no row',
      () => ({
        model: {
          topology: {
            ...NETWORK,
            config: { ...NETWORK.config, layers: [dense(3, { batch_input_shape: [null, 99] })] },
          },
        },
      }),
      'DATA_INVALID',
    ],
    [
      'a topology that is no model',
      () => ({ model: { topology: { hello: 'world' } } }),
      'MODEL_INVALID',
    ],
    [
      'a topology that nobody stored',
      () => ({ model: { topology: sha256('no model') } }),
      'ARTIFACT_MISSING',
    ],
    ['a loss that there is not', () => ({ loss: 'vibes' }), 'VALIDATION_FAILED'],
    [
      'a learning rate below zero',
      () => ({ optimizer: { type: 'adam', learningRate: -1 } }),
      'VALIDATION_FAILED',
    ],
    ['epochs without end', () => ({ epochs: 1e9 }), 'VALIDATION_FAILED'],
  ];
  for (const [what, change, code] of cases) {
    test(`${what}: ${code}`, async () => {
      const problem = await refused(change());
      expect(problem.code, problem.detail).toBe(code);
    });
  }

  test('a stored topology that is no JSON: MODEL_INVALID', async () => {
    for (const bytes of ['nonsense', '['.repeat(5_000), '{"__proto__":{}}', '{"a":1,"a":2}']) {
      const problem = await refused({ model: { topology: await text(bytes) } });
      expect(problem.code, problem.detail).toBe('MODEL_INVALID');
    }
  });

  test('noise that cannot be seeded is for jobs that nobody checks: MODEL_NOT_SEEDABLE', async () => {
    const noisy = modelOf(
      { class_name: 'GaussianNoise', config: { name: 'noise', stddev: 0.1 } },
      dense(3),
    );
    expect((await refused(noisy, 'standard')).code).toBe('MODEL_NOT_SEEDABLE');
  });
});

test('none of the refused jobs exists, and nothing is held for any of them', async () => {
  const { body } = await alice.http.get<{ items: { state: string }[] }>('/v1/jobs?state=queued');
  expect(body.items).toEqual([]);
  expect((await alice.settled()).available).toBe('1000000000');
});
