import { decodeNpy, type JobDetail, TFJS_OUTPUTS } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { CLASSES, puzzle, storedPuzzle, trainingJob } from './harness/puzzle.js';
import { type RealWorker, realWorker } from './harness/real-worker.js';
import { sha256 } from './harness/receipts.js';
import { type Submitter, submitter, summary } from './harness/submitter.js';

const ROWS = 200;
/** 20 steps an epoch; the estimate of 2 ms a layer puts 166 steps into a second, which makes three segments. */
const JOB = { epochs: 17, every: '1s' };
const DEADLINE_MS = 120_000;

let orchestrator: Orchestrator;
let workers: RealWorker[];
let alice: Submitter;
let data: { x: string; y: string };
/** The files of the model that nobody disturbed. */
let undisturbed: ReadonlyMap<string, string>;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
  data = await storedPuzzle(alice, ROWS);
  const flags = { slots: '1', 'memory-mib': '1024' };
  workers = await Promise.all(
    ['trainer-1', 'trainer-2'].map((name) => realWorker(orchestrator, name, flags)),
  );
});

afterAll(async () => {
  await Promise.all((workers ?? []).map((worker) => worker.process.stop()));
  expect(await orchestrator?.stop()).toEqual([]);
});

async function outputsOf(id: string): Promise<ReadonlyMap<string, string>> {
  const { body } = await alice.http.get<{ items: { name: string; digest: string }[] }>(
    `/v1/jobs/${id}/outputs`,
  );
  return new Map(body.items.map(({ name, digest }) => [name, digest]));
}

const accepted = (job: JobDetail) =>
  job.taskList.flatMap(({ attempts }) => attempts).filter(({ state }) => state === 'accepted');

test('two machines train the same bits, segment by segment, and both are paid', async () => {
  const { id } = await alice.submit(trainingJob(data, { ...JOB, verify: { replicate: 2 } }));
  const job = await alice.over(id, DEADLINE_MS);
  expect(job.state, summary(job)).toBe('succeeded');
  expect(job.taskList.length).toBeGreaterThanOrEqual(3);
  expect(job.tasks.succeeded).toBe(job.taskList.length);
  for (const { attempts } of job.taskList) {
    expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(2);
    expect(attempts.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
  }
  // What was compared: one commitment a segment and in the end the model, the same from both.
  const { rows } = await orchestrator.rows.query<{ idx: number; results: string[] }>(
    `SELECT task.idx, array_agg(DISTINCT receipt.result) AS results
     FROM receipts AS receipt JOIN tasks AS task ON task.id = receipt.task_id
     WHERE task.job_id = $1 GROUP BY task.idx ORDER BY task.idx`,
    [id],
  );
  expect(rows.map(({ idx }) => idx)).toEqual(job.taskList.map(({ index }) => index));
  for (const { results } of rows) {
    expect(results).toEqual([
      expect.stringMatching(/^commitment:[0-9a-f]{64}( outputs:[0-9a-f]{64})?$/),
    ]);
  }
  undisturbed = await outputsOf(id);
  expect([...undisturbed.keys()].sort()).toEqual([
    TFJS_OUTPUTS.checkpoint,
    TFJS_OUTPUTS.model,
    TFJS_OUTPUTS.weights,
  ]);
  expect(job.progress?.metrics['accuracy'] ?? 0).toBeGreaterThan(0.8);
  await alice.settled();
  const cost = accepted(await alice.job(id)).reduce(
    (sum, { price }) => sum + BigInt(price ?? '0'),
    0n,
  );
  expect((await alice.job(id)).cost).toBe(String(cost));
});

test('the trained model answers about rows it is shown', async () => {
  const { id } = await alice.submit({
    kind: 'inference',
    runtime: {
      tfjs: {
        model: {
          topology: undisturbed.get(TFJS_OUTPUTS.model) ?? '',
          weights: undisturbed.get(TFJS_OUTPUTS.weights) ?? '',
        },
        data: {
          input: { arrays: { x: data.x } },
          features: { array: 'x' },
          scale: { subtract: 0, divide: 16 },
        },
        output: { labels: true },
        batchSize: 64,
      },
    },
    verify: 'none',
    limits: { maxDuration: '10m', maxCost: 100 },
  });
  const job = await alice.over(id, DEADLINE_MS);
  expect(job.state, summary(job)).toBe('succeeded');
  const outputs = await outputsOf(id);
  const download = async (name: string) => {
    const response = await fetch(`${orchestrator.url}/v1/artifacts/${outputs.get(name)}`, {
      headers: { authorization: `Bearer ${alice.http.token}` },
    });
    expect(response.status).toBe(200);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(sha256(bytes)).toBe(outputs.get(name));
    const array = decodeNpy(bytes);
    if (!array.ok) throw new Error(array.fault.message);
    return array.value;
  };
  const scores = await download(TFJS_OUTPUTS.predictions);
  const labels = await download(TFJS_OUTPUTS.labels);
  expect(scores.shape).toEqual([ROWS, CLASSES]);
  const truth = puzzle(ROWS).y;
  const right = [...labels.values].filter((label, row) => label === truth[row]).length;
  expect(right / ROWS).toBeGreaterThan(0.9);
});

test('a worker killed half-way is replaced, training goes on from the checkpoint, and the bits are the same (G3)', async () => {
  const { id } = await alice.submit(trainingJob(data, JOB));
  const underWay = await alice.when(
    id,
    'its first segment is done and a later one runs',
    ({ taskList: [first, ...later] }) =>
      first?.state === 'succeeded' && later.some(({ state }) => state === 'running'),
    DEADLINE_MS,
  );
  const running = underWay.taskList.flatMap(({ attempts }) => attempts).at(-1);
  const victim = workers.find((worker) => worker.id === running?.workerId);
  expect(victim?.process.signal('SIGKILL')).toBe(true);
  const job = await alice.over(id, DEADLINE_MS);
  expect(job.state, summary(job)).toBe('succeeded');
  // The finished segment was not done again, and the last one was done by somebody else.
  expect(job.taskList[0]?.attempts).toHaveLength(1);
  const attempts = job.taskList.flatMap((task) => task.attempts);
  expect(attempts.filter(({ state }) => state === 'lost')).toMatchObject([
    { workerId: victim?.id, price: null },
  ]);
  expect(attempts.at(-1)?.workerId).not.toBe(victim?.id);
  expect(await outputsOf(id)).toEqual(undisturbed);
  await alice.settled();
  await expectClosedBooks(orchestrator);
});
