import { type JobDetail, type Offer, TaskPayload, TFJS_OUTPUTS } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { Http } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { storedPuzzle, trainingJob } from './harness/puzzle.js';
import { sha256 } from './harness/receipts.js';
import { profileOf, ScriptedWorker } from './harness/scripted-worker.js';
import { type AskedJob, type Submitter, submitter, summary } from './harness/submitter.js';

/** Training whose arithmetic is made up: a checkpoint is a text that names its segment and the checkpoint before. */
const checkpointOf = (segment: number, before: string, word = 'right') =>
  `${word} ${segment} after ${before}`;

const SEGMENTS = 3;

function rightChain(): string[] {
  const chain: string[] = [];
  for (let segment = 0; segment < SEGMENTS; segment += 1) {
    const before = chain.at(-1);
    chain.push(checkpointOf(segment, before === undefined ? 'nothing' : sha256(before)));
  }
  return chain;
}

async function trainer(
  orchestrator: Orchestrator,
  pool: string,
  liesAt: readonly number[] = [],
): Promise<ScriptedWorker> {
  const { capabilities } = profileOf(pool);
  const runtimes = [{ name: 'tfjs' as const, class: 'tfjs/made-up' }];
  const worker = await ScriptedWorker.join(orchestrator, pool, {
    profile: { capabilities: { ...capabilities, runtimes } },
  });
  const http = new Http(orchestrator.url, worker.welcome.token);
  worker.serve(async (offer) => {
    const task = taskOf(offer);
    const word = liesAt.includes(task.segment) ? 'wrong' : 'right';
    const text = checkpointOf(task.segment, task.checkpoint ?? 'nothing', word);
    const headers = { 'content-type': 'application/octet-stream' };
    await http.ask('PUT', `/v1/artifacts/${sha256(text)}`, { text, headers });
    const output = {
      name: TFJS_OUTPUTS.checkpoint,
      digest: sha256(text),
      sizeBytes: Buffer.byteLength(text),
    };
    return { says: { outputs: [output], commitment: sha256(text).slice('sha256:'.length) } };
  });
  return worker;
}

function taskOf(offer: Offer) {
  const payload = TaskPayload.parse(JSON.parse(offer.payload));
  if (payload.runtime !== 'tfjs' || payload.tfjs.type !== 'tfjs.train')
    throw new Error('no training');
  return payload.tfjs;
}

const attemptsOf = (job: JobDetail) => job.taskList.flatMap(({ attempts }) => attempts);

/** Submits a training job of three segments for a pool. */
async function submitTraining(
  alice: Submitter,
  pool: string,
  seed: number,
  verify: AskedJob['verify'] = 'standard',
) {
  const data = await storedPuzzle(alice, 200);
  const job = trainingJob(data, { epochs: 17, every: '1s', verify });
  const tfjs = { ...job.runtime.tfjs, seed } as typeof job.runtime.tfjs;
  return alice.submit({ ...job, runtime: { tfjs }, resources: { gpuModels: [pool] } });
}

/** What the job left in the end. */
async function finalCheckpoint(alice: Submitter, job: JobDetail): Promise<string> {
  const { body } = await alice.http.get<{ items: { taskId: string; digest: string }[] }>(
    `/v1/jobs/${job.id}/outputs`,
  );
  const last = job.taskList.at(-1)?.id;
  return body.items.find(({ taskId }) => taskId === last)?.digest ?? '';
}

describe.each([
  ['every segment is checked', '1'],
  ['two segments of three are checked', '0.000001'],
])('when %s, a segment that was wrong takes those after it along', (_, rate) => {
  let orchestrator: Orchestrator;
  let alice: Submitter;

  beforeAll(async () => {
    orchestrator = await startOrchestrator({ env: { TIDEMILL_AUDIT_RATE: rate } });
    alice = await submitter(orchestrator);
  });

  afterAll(async () => {
    expect(await orchestrator?.stop()).toEqual([]);
  });

  /** A job whose first segment is checked, and whose second is not if that can be. */
  async function submitChecked(pool: string) {
    for (let seed = 0; ; seed += 1) {
      const job = await submitTraining(alice, pool, seed);
      const { rows } = await orchestrator.rows.query<{ audited: boolean }>(
        'SELECT audited FROM tasks WHERE job_id = $1 ORDER BY idx',
        [job.id],
      );
      expect(rows).toHaveLength(SEGMENTS);
      if (rate === '1' || (rows[0]?.audited === true && rows[1]?.audited === false)) return job;
      await alice.cancel(job.id);
    }
  }

  test('the job ends with the right model, the liar has nothing of it, the submitter pays once', async () => {
    const { id } = await submitChecked('void');
    const liar = await trainer(orchestrator, 'void', [0]);
    await alice.when(id, 'the liar has gone through all segments', (job) => {
      return attemptsOf(job).filter(({ receiptHash }) => receiptHash !== null).length === SEGMENTS;
    });
    const honest = [await trainer(orchestrator, 'void'), await trainer(orchestrator, 'void')];
    const over = await alice.over(id);
    expect(over.state, summary(over)).toBe('succeeded');
    await alice.settled();
    const job = await alice.job(id);
    expect(job.tasks.succeeded).toBe(SEGMENTS);
    const right = rightChain();
    expect(await finalCheckpoint(alice, job)).toBe(sha256(right.at(-1) ?? ''));

    const lied = job.taskList[0]?.attempts.filter(({ workerId }) => workerId === liar.id);
    expect(lied).toMatchObject([{ role: 'primary', verdict: 'rejected', price: null }]);
    // Each segment is charged once, however often it was done; the first one was only done by those who check.
    const { rows } = await orchestrator.rows.query<{ idx: number; charges: number }>(
      `SELECT task.idx, count(*)::int AS charges FROM charges AS charge
       JOIN attempts AS attempt ON attempt.id = charge.attempt_id JOIN tasks AS task ON task.id = attempt.task_id
       WHERE task.job_id = $1 AND charge.payer = 'submitter' AND NOT charge.refunded GROUP BY task.idx ORDER BY task.idx`,
      [id],
    );
    expect(rows).toEqual([
      { idx: 1, charges: 1 },
      { idx: 2, charges: 1 },
    ]);
    const standing = attemptsOf(job).filter(
      ({ role, state, reason }) => role === 'primary' && state === 'accepted' && reason !== 'void',
    );
    const cost = standing.reduce((sum, { price }) => sum + BigInt(price ?? '0'), 0n);
    expect(job.cost).toBe(String(cost));
    expect((await alice.account()).spent).toBe(job.cost);
    await expectClosedBooks(orchestrator);
    for (const worker of [liar, ...honest]) worker.drop();
  });

  test('so it is when every segment is done twice, whichever of the two was wrong', async () => {
    const pool = 'twice';
    const liar = await trainer(orchestrator, pool, [0]);
    const workers = [liar, await trainer(orchestrator, pool), await trainer(orchestrator, pool)];
    for (let seed = 0; seed < 3; seed += 1) {
      const { id } = await submitTraining(alice, pool, seed, { replicate: 2 });
      const over = await alice.over(id);
      expect(over.state, summary(over)).toBe('succeeded');
      await alice.settled();
      const job = await alice.job(id);
      expect(await finalCheckpoint(alice, job)).toBe(sha256(rightChain().at(-1) ?? ''));
      const lied = job.taskList[0]?.attempts.filter(({ workerId }) => workerId === liar.id) ?? [];
      for (const { verdict, price } of lied) expect([verdict, price]).toEqual(['rejected', null]);
    }
    await expectClosedBooks(orchestrator);
    for (const worker of workers) worker.drop();
  });

  test('a lie in the last segment takes nothing along', async () => {
    const { id } = await submitChecked('last');
    const liar = await trainer(orchestrator, 'last', [SEGMENTS - 1]);
    await alice.when(id, 'the liar has gone through all segments', (job) => {
      return attemptsOf(job).filter(({ receiptHash }) => receiptHash !== null).length === SEGMENTS;
    });
    const honest = [await trainer(orchestrator, 'last'), await trainer(orchestrator, 'last')];
    const over = await alice.over(id);
    expect(over.state, summary(over)).toBe('succeeded');
    await alice.settled();
    for (const { attempts } of over.taskList.slice(0, -1)) {
      expect(attempts.filter(({ role }) => role === 'primary')).toHaveLength(1);
    }
    await expectClosedBooks(orchestrator);
    for (const worker of [liar, ...honest]) worker.drop();
  });
});
