import { type Offer, type Receipt, type SignedReceipts, TFJS_OUTPUTS } from '@tidemill/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClosedBooks } from './harness/books.js';
import { Http } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { sha256, signed } from './harness/receipts.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { freshSigner } from './harness/signer.js';
import { noopJob, type Submitter, submitter } from './harness/submitter.js';

let orchestrator: Orchestrator;
let alice: Submitter;

beforeAll(async () => {
  orchestrator = await startOrchestrator();
  alice = await submitter(orchestrator);
});

afterAll(async () => {
  expect(await orchestrator?.stop()).toEqual([]);
});

const DAY_MS = 24 * 3_600_000;
const output = (name: string, text: string) => ({
  name,
  digest: sha256(text),
  sizeBytes: text.length,
});

interface Lie {
  readonly what: string;
  /** What the receipt says that an honest one does not. */
  readonly says: (offer: Offer, honest: Receipt) => Partial<Receipt>;
  readonly status: 'stale' | 'refused';
  readonly code?: string;
}

const LIES: readonly Lie[] = [
  {
    what: 'names a higher fence than its lease has',
    says: ({ fence }) => ({ fence: fence + 1 }),
    status: 'stale',
  },
  {
    what: 'is about another payload',
    says: () => ({ taskDigest: sha256('another payload') }),
    status: 'stale',
  },
  {
    what: 'names another job',
    says: ({ jobId }) => ({ jobId: another(jobId) }),
    status: 'stale',
  },
  {
    what: 'names another worker',
    says: (_, { workerId }) => ({ workerId: another(workerId) }),
    status: 'refused',
    code: 'RECEIPT_FOREIGN',
  },
  {
    what: 'is meant for another network',
    says: () => ({ network: 'elsewhere' }),
    status: 'refused',
    code: 'RECEIPT_ELSEWHERE',
  },
  {
    what: 'is meant for another orchestrator',
    says: () => ({ audience: 'tidemill.example' }),
    status: 'refused',
    code: 'RECEIPT_ELSEWHERE',
  },
  {
    what: 'has expired',
    says: () => ({ issuedAtMs: Date.now() - 8 * DAY_MS, expiresAtMs: Date.now() - DAY_MS }),
    status: 'refused',
    code: 'RECEIPT_EXPIRED',
  },
  {
    what: 'comes from the future',
    says: () => ({ issuedAtMs: Date.now() + DAY_MS, expiresAtMs: Date.now() + 2 * DAY_MS }),
    status: 'refused',
    code: 'RECEIPT_TIMES',
  },
  {
    what: 'is good for ever',
    says: () => ({ expiresAtMs: Date.now() + 30 * DAY_MS }),
    status: 'refused',
    code: 'RECEIPT_TIMES',
  },
  {
    what: 'names an output that was never stored',
    says: () => ({ outputs: [output('result', 'never stored')] }),
    status: 'refused',
    code: 'OUTPUT_MISSING',
  },
  {
    what: 'says the same output twice',
    says: () => ({ outputs: [output('result', 'a'), output('result', 'b')] }),
    status: 'refused',
    code: 'RECEIPT_CONTRADICTS',
  },
  {
    what: 'succeeded and names a failure',
    says: () => ({ failure: { code: 'OOM', message: 'no memory', fault: 'job' } }),
    status: 'refused',
    code: 'RECEIPT_CONTRADICTS',
  },
  {
    what: 'commits to something else than its checkpoint',
    says: () => ({
      outputs: [output(TFJS_OUTPUTS.checkpoint, 'weights')],
      commitment: 'ab'.repeat(32),
    }),
    status: 'refused',
    code: 'COMMITMENT_MISMATCH',
  },
];

/** Another id of the same kind. */
const another = <Id extends string>(id: Id): Id =>
  (id.slice(0, -1) + (id.endsWith('0') ? '1' : '0')) as Id; // still of the form of its kind

let pools = 0;

/** A job that a hostile worker has begun, while an honest one waits for whatever is left. */
async function begun() {
  pools += 1;
  const pool = `hostile-${pools}`;
  const hostile = await ScriptedWorker.join(orchestrator, pool);
  const { id } = await alice.submit(noopJob(pool, { limits: { maxCost: 1 } }));
  const offer = await hostile.begin();
  const honest = await ScriptedWorker.join(orchestrator, pool);
  honest.serve();
  return { hostile, honest, offer, id };
}

/** The job goes on to its end with the honest worker, and the hostile one has earned nothing by it. */
async function expectHonestEnd(
  id: string,
  hostile: ScriptedWorker,
  honest: ScriptedWorker,
  deadlineMs = 5_000,
) {
  const job = await alice.over(id, deadlineMs);
  expect(job.state).toBe('succeeded');
  const [lied, done, ...others] =
    (await alice.when(id, 'it is billed', ({ cost }) => cost !== '0')).taskList[0]?.attempts ?? [];
  expect(others).toEqual([]);
  expect(lied).toMatchObject({ workerId: hostile.id, price: null, verdict: null });
  expect(lied?.state).not.toBe('accepted');
  expect(done).toMatchObject({ workerId: honest.id, state: 'accepted', fence: 2 });
  const { rows } = await orchestrator.rows.query(
    'SELECT balance FROM ledger_accounts WHERE owner = $1',
    [hostile.id],
  );
  expect(rows).toEqual([]);
  hostile.drop();
  honest.drop();
}

describe.concurrent('a receipt that does not count (G4, G21)', () => {
  for (const { what, says, status, code } of LIES) {
    test(`${what}: it is ${status}${code === undefined ? '' : ` with ${code}`}, and the task goes elsewhere`, async () => {
      const { hostile, honest, offer, id } = await begun();
      const lie = says(offer, hostile.receipt(offer));
      const ack = await hostile.report(offer, lie);
      expect(ack).toEqual({ attemptId: offer.attemptId, status, ...(code && { code }) });
      await expectHonestEnd(id, hostile, honest);
      const evidence = await orchestrator.rows.query(
        'SELECT code FROM receipts_refused WHERE attempt_id = $1',
        [offer.attemptId],
      );
      expect(evidence.rows).toEqual([{ code: code ?? 'STALE_FENCE' }]);
    });
  }

  test('signed by somebody else: it is refused', async () => {
    const { hostile, honest, offer, id } = await begun();
    const batch = signed([hostile.receipt(offer)], freshSigner());
    expect(await hostile.sendReceipts(batch, offer.attemptId)).toMatchObject({
      status: 'refused',
      code: 'SIGNATURE_INVALID',
    });
    await expectHonestEnd(id, hostile, honest);
  });

  test('with a signature that covers another batch: it is refused', async () => {
    const { hostile, honest, offer, id } = await begun();
    const { signature } = signed([hostile.receipt(offer, { metrics: { x: '1' } })], hostile.signer);
    const { receipts } = signed([hostile.receipt(offer)], hostile.signer);
    expect(await hostile.sendReceipts({ receipts, signature }, offer.attemptId)).toMatchObject({
      status: 'refused',
      code: 'SIGNATURE_INVALID',
    });
    await expectHonestEnd(id, hostile, honest);
  });

  test('of an attempt of somebody else: it changes nothing for them', async () => {
    const { hostile: owner, honest, offer, id } = await begun();
    honest.drop();
    const thief = await ScriptedWorker.join(orchestrator, 'thief');
    const stolen = { ...owner.receipt(offer), workerId: thief.id };
    expect(await thief.sendReceipts(signed([stolen], thief.signer), offer.attemptId)).toMatchObject(
      { status: 'stale' },
    );
    const copied = signed([owner.receipt(offer)], owner.signer);
    expect(await thief.sendReceipts(copied, offer.attemptId)).toMatchObject({ status: 'refused' });
    expect(await owner.report(offer)).toMatchObject({ status: 'stored' });
    const job = await alice.over(id);
    expect(job.taskList[0]?.attempts).toMatchObject([{ workerId: owner.id }]);
    thief.drop();
    owner.drop();
  });

  test('that is no receipt at all is not acknowledged, and the session goes on', async () => {
    const { hostile, honest, offer, id } = await begun();
    const deep = '['.repeat(3_000);
    const twice = JSON.stringify(hostile.receipt(offer)).replace('{', '{"fence":7,');
    const texts = ['nonsense', '{}', deep, twice, '{"__proto__":{"fence":1}}'];
    hostile.say({ type: 'drain' });
    hostile.say({ type: 'receipts', ...signed(texts, hostile.signer) });
    hostile.beat([]);
    expect(await hostile.socket.take('heartbeat.ack')).toBeDefined();
    hostile.beat([]);
    await expectHonestEnd(id, hostile, honest);
  });

  test('as it swaps two attempts of one worker: neither counts', async () => {
    const { hostile, honest, offer, id } = await begun();
    const pool = `hostile-swap`;
    const second = await ScriptedWorker.join(orchestrator, pool);
    const { id: otherId } = await alice.submit(noopJob(pool, { limits: { maxCost: 1 } }));
    const other = await second.begin();
    const swapped = { attemptId: other.attemptId };
    expect(
      await hostile.sendReceipts(
        signed([hostile.receipt(offer, swapped)], hostile.signer),
        other.attemptId,
      ),
    ).toMatchObject({ status: 'stale' });
    hostile.say({ type: 'drain' });
    hostile.forget(offer);
    hostile.beat();
    hostile.beat();
    await expectHonestEnd(id, hostile, honest);
    expect(await second.report(other)).toMatchObject({ status: 'stored' });
    expect((await alice.over(otherId)).state).toBe('succeeded');
    second.drop();
  });
});

describe.concurrent('a receipt that comes more than once (G4, G9)', () => {
  test('counts once: the same bytes again are a duplicate', async () => {
    const { hostile: worker, honest, offer, id } = await begun();
    honest.drop();
    const batch: SignedReceipts = signed([worker.receipt(offer)], worker.signer);
    expect((await worker.sendReceipts(batch, offer.attemptId)).status).toBe('stored');
    expect((await worker.sendReceipts(batch, offer.attemptId)).status).toBe('duplicate');
    await alice.when(id, 'it is billed', ({ cost }) => cost !== '0');
    expect((await worker.sendReceipts(batch, offer.attemptId)).status).toBe('duplicate');
    expect((await alice.job(id)).taskList[0]?.attempts).toHaveLength(1);
    worker.drop();
  });

  test('counts as it was first: a second one that says something else is stale', async () => {
    const { hostile: worker, honest, offer, id } = await begun();
    honest.drop();
    expect((await worker.report(offer)).status).toBe('stored');
    const other = await worker.report(offer, { commitment: 'cd'.repeat(32) });
    expect(other.status).toBe('stale');
    expect((await alice.over(id)).state).toBe('succeeded');
    worker.drop();
  });

  test('counts once when both stand in one batch, with outputs, and harms nobody beside it', async () => {
    const { hostile: worker, honest, offer, id } = await begun();
    honest.drop();
    const stored = await new Http(orchestrator.url, worker.welcome.token).ask(
      'PUT',
      `/v1/artifacts/${sha256('result')}`,
      { text: 'result', headers: { 'content-type': 'application/octet-stream' } },
    );
    expect(stored.status).toBe(201);
    const outputs = [output('result', 'result')];
    const one = worker.receipt(offer, { outputs });
    const two = worker.receipt(offer, { outputs, metrics: { loss: '0' } });
    worker.say({ type: 'receipts', ...signed([one, two, one], worker.signer) });
    const { receipts } = await worker.socket.take('receipts.ack');
    expect(receipts.map(({ status }) => status)).toEqual(['stored', 'stale', 'duplicate']);
    expect((await alice.over(id)).state).toBe('succeeded');
    const listed = await alice.http.get<{ items: unknown[] }>(`/v1/jobs/${id}/outputs`);
    expect(listed.body.items).toMatchObject([{ name: 'result', digest: sha256('result') }]);
    const bytes = await alice.http.get(`/v1/artifacts/${sha256('result')}`);
    expect([bytes.status, bytes.body]).toEqual([200, 'result']);
    worker.drop();
  });
});

test('a meter that runs fast is not paid for more than the lease lasted (G8)', async () => {
  const { hostile, honest, offer, id } = await begun();
  honest.drop();
  const usage = { billableMs: 3_600_000, cpuMs: 0, maxRssMib: 1 };
  await hostile.report(offer, { usage });
  const job = await alice.when(id, 'it is billed', ({ cost }) => cost !== '0');
  const [attempt] = job.taskList[0]?.attempts ?? [];
  const leaseMs = Date.parse(attempt?.finishedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
  expect(Number(job.cost)).toBeLessThanOrEqual(leaseMs + 1);
  hostile.drop();
});

test('what a worker says of its progress cannot break the submitter\u2019s view of the job', async () => {
  const { hostile, honest, offer, id } = await begun();
  honest.drop();
  const { attemptId, fence } = offer;
  const metrics = { '\u0000': 1, '\ud800': 2, __proto__: 3, '"\n': 4 };
  hostile.say({
    type: 'progress',
    items: [{ attemptId, fence, step: 1, totalSteps: 2, metrics }],
  });
  hostile.say({
    type: 'logs',
    items: [{ attemptId, fence, line: 0, stream: 'out', text: '\u0000\u001b[31m\ud800' }],
  });
  await alice.when(id, 'it shows progress', ({ progress }) => progress?.step === 1);
  await hostile.report(offer);
  await alice.over(id);
  const events = await alice.http.get<string>(`/v1/jobs/${id}/events`);
  expect(events.status).toBe(200);
  expect(events.body).toContain('event: progress');
  expect(events.body).toContain('event: log');
  expect(events.body).toContain('event: finished');
  expect((await alice.http.get(`/v1/jobs/${id}/logs`)).status).toBe(200);
  hostile.drop();
});

test('after all of it the books are closed and sound', async () => {
  await alice.settled();
  await expectClosedBooks(orchestrator);
});
