import {
  bytesToHex,
  canonicalJson,
  chainHash,
  CHAIN_START,
  Provenance,
  trailDigest,
  verifyProvenance,
  verifyReceipt,
  type JobId,
  type Receipt,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { eventually } from '../testing/eventually.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { ProvenanceService } from './provenance.service.js';

const CRYPTO = { sha256: nodeSha256, verify: nodeVerifier() };
const saying = (answer: string): Partial<Receipt> => ({ commitment: answer.repeat(64) });

let host: StageHost;
let alice: StageSubmitter;
/** A job nobody checked, whose receipt was signed in a batch of three. */
let alone: Provenance;
/** A job that was tried in vain, executed, checked, and decided by a referee. */
let judged: Provenance;
let operatorKey: string;

const bundleOf = (id: JobId, of = alice) =>
  host.app.get(ProvenanceService).bundle(of.accountId, id);
const check = (bundle: unknown, trust: Parameters<typeof verifyProvenance>[1] = {}) =>
  verifyProvenance(bundle, trust, CRYPTO);
/** Once it is paid for and nothing of it is held. */
const settled = (id: JobId) =>
  eventually(`${id} is not settled`, async () => check(await bundleOf(id)).isSettled);

beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_AUDIT_RATE: '1', TIDEMILL_FEE_BPS: '1000' } });
  alice = await StageSubmitter.with(host);
  alone = await bundleOf(await aloneInABatch());
  judged = await bundleOf(await disputed());
  operatorKey = alone.trail.checkpoint.publicKey;
});
afterAll(() => host.stop());

async function aloneInABatch(): Promise<JobId> {
  const worker = await StageWorker.join(host, 'batch');
  const ids = [];
  for (let i = 0; i < 3; i += 1) ids.push(await alice.submit(noopJob('batch')));
  const output = await worker.store('the answer');
  const receipts: Receipt[] = [];
  for (let i = 0; i < 3; i += 1) {
    receipts.push(worker.receipt(await worker.begin(), { outputs: [output] }));
  }
  const [, second] = receipts;
  if (second === undefined) throw new Error('there are three');
  await worker.send(receipts, second.attemptId);
  for (const id of ids) await settled(id);
  return second.jobId;
}

async function disputed(): Promise<JobId> {
  const pool = 'judged';
  const id = await alice.submit(noopJob(pool, { verify: 'standard' }));
  const answer = async (says: Partial<Receipt>): Promise<void> => {
    const worker = await StageWorker.join(host, pool);
    await worker.report(await worker.begin(), says);
    await worker.leave();
  };
  const failure = { code: 'DISK_FULL', message: 'no room', fault: 'worker' } as const;
  await answer({ outcome: 'failed', failure });
  await answer(saying('a'));
  await answer(saying('b'));
  await answer(saying('a'));
  await alice.over(id);
  await settled(id);
  return id;
}

test('an honest bundle passes, by itself and with the key of the operator (G18)', () => {
  for (const bundle of [alone, judged]) {
    const report = check(bundle, { network: 'testnet', publicKeys: [operatorKey] });
    expect(report).toMatchObject({ fault: null, isSettled: true, keyFrom: 'given' });
    expect(report.checks.map(({ result }) => result)).toEqual(report.checks.map(() => 'ok'));
    expect(check(bundle)).toMatchObject({ fault: null, keyFrom: 'shown' });
  }
  expect(alone.receipts[0]?.batch).toMatchObject({ size: 3, index: 1 });
  expect(judged.attempts.map(({ state }) => state).sort()).toEqual([
    'accepted',
    'accepted',
    'failed',
    'rejected',
  ]);
  const kinds = judged.trail.events.map(({ kind }) => kind);
  for (const kind of [
    'job.accepted',
    'task.placed',
    'lease.ended',
    'receipt.stored',
    'check.ordered',
    'verdict.given',
    'ledger.booked',
    'worker.joined',
  ]) {
    expect(kinds).toContain(kind);
  }
});

test('a bundle is what its schema says, and the same each time but for a newer checkpoint', async () => {
  expect(Provenance.parse(judged)).toEqual(judged);
  const again = await bundleOf(judged.job.id);
  const stable = ({ trail, ...rest }: Provenance) => ({
    ...rest,
    events: trail.events.map(({ path: _, ...event }) => event),
  });
  expect(JSON.stringify(stable(again))).toBe(JSON.stringify(stable(judged)));
});

test('a job of somebody else has no bundle and no receipt (T7)', async () => {
  const mallory = await StageSubmitter.with(host);
  await expect(bundleOf(alone.job.id, mallory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const [attempt] = alone.attempts;
  const service = host.app.get(ProvenanceService);
  const asked = service.receipt(mallory.accountId, attempt?.id ?? ('' as never));
  await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a job that waits has a bundle, which says that it is not settled', async () => {
  const id = await alice.submit(noopJob('nobody'));
  expect(check(await bundleOf(id))).toMatchObject({ fault: null, isSettled: false });
  await alice.cancel(id);
});

test('a receipt whose verdict is still to come is no lie', () => {
  const early = structuredClone(alone);
  for (const one of early.attempts)
    Object.assign(one, { state: 'reported', verdict: null, charge: null });
  Object.assign(early.job, { state: 'running', finishedAt: null });
  early.trail.events = early.trail.events.filter(({ kind }) => !/^(verdict|ledger)/.test(kind));
  early.ledger = early.ledger.filter(({ kind }) => kind === 'hold');
  expect(check(early)).toMatchObject({ fault: null, isSettled: false });
});

test('one receipt stands alone', async () => {
  const [attempt] = alone.attempts;
  const service = host.app.get(ProvenanceService);
  const signed = await service.receipt(alice.accountId, attempt?.id ?? ('' as never));
  expect(signed).toEqual(alone.receipts[0]);
  expect(verifyReceipt(signed, CRYPTO)).toMatchObject({
    ok: true,
    receipt: { jobId: alone.job.id },
  });
});

test('a key that is replaced later takes nothing from what it signed, and only orders replace it', async () => {
  const worker = await StageWorker.join(host, 'replaced');
  const id = await alice.submit(noopJob('replaced', { verify: 'none' }));
  await worker.report(await worker.begin());
  await alice.over(id);
  await settled(id);
  const before = await bundleOf(id);
  await worker.changeKey();
  await worker.leave();

  const after = await bundleOf(id);
  expect(check(after)).toMatchObject({ fault: null, isSettled: true });
  expect(after.receipts).toEqual(before.receipts);
  expect(after.workers).not.toEqual(before.workers);
  const [attempt] = after.attempts;
  const receipt = await host.app
    .get(ProvenanceService)
    .receipt(alice.accountId, attempt?.id ?? ('' as never));
  expect(verifyReceipt(receipt, CRYPTO)).toMatchObject({ ok: true });

  const untold = structuredClone(after);
  drop(untold, 'worker.key-changed');
  expect(check(untold).fault?.code).toBe('WORKER_KEY');
  // Nor may the network say that some other key signed.
  const foreign = structuredClone(after);
  const [shown] = foreign.workers;
  const theirs = judged.workers[0]?.publicKey;
  if (shown === undefined || theirs === undefined) throw new Error('there are workers');
  shown.publicKey = theirs;
  expect(check(foreign).fault?.code).toBe('WORKER_KEY');
});

test('a sound bundle of another job is not the one that was asked for', () => {
  const report = check(alone, { job: judged.job.id });
  expect(report.fault?.code).toBe('JOB_CONTRADICTS');
  expect(check(alone, { job: alone.job.id }).fault).toBeNull();
});

/** Another text of the same form. */
const other = <T extends string>(text: T | undefined | null): T => {
  const last = text?.at(-1) === '1' ? '2' : '1';
  return `${text?.slice(0, -1) ?? ''}${last}` as T;
};
const at = <T>(list: readonly T[], index = 0): T => {
  const item = list.at(index);
  if (item === undefined) throw new RangeError(`nothing at ${index}`);
  return item;
};
const event = (bundle: Provenance, kind: string) =>
  at(bundle.trail.events.filter((one) => one.kind === kind));
const entry = (bundle: Provenance, kind: string) =>
  at(bundle.ledger.filter((one) => one.kind === kind));
const attempt = (bundle: Provenance, state: string) =>
  at(bundle.attempts.filter((one) => one.state === state));
const drop = (bundle: Provenance, kind: string): void => {
  bundle.trail.events.splice(bundle.trail.events.indexOf(event(bundle, kind)), 1);
};
const redigested = (one: Provenance['trail']['events'][number]): void => {
  one.digest = bytesToHex(trailDigest({ ...one, atMs: Date.parse(one.at) }, nodeSha256));
};

type Tampering = readonly [string, string, (bundle: Provenance) => void, ('judged' | 'alone')?];

const TAMPERINGS: readonly Tampering[] = [
  [
    'another format',
    'BUNDLE_MALFORMED',
    (b) => Object.assign(b, { format: 'tidemill/provenance/0' }),
  ],
  ['no attempts', 'BUNDLE_MALFORMED', (b) => Reflect.deleteProperty(b, 'attempts')],
  [
    'a hash that is none',
    'BUNDLE_MALFORMED',
    (b) => {
      at(b.receipts).hash = 'x';
    },
  ],
  [
    'a fraction of a unit',
    'BUNDLE_MALFORMED',
    (b) => {
      b.job.hold = '1.5';
    },
  ],
  [
    'another network',
    'NETWORK_MISMATCH',
    (b) => {
      b.network = 'mainnet';
    },
  ],
  [
    'a checkpoint of another network',
    'NETWORK_MISMATCH',
    (b) => {
      b.trail.checkpoint.network = 'mainnet';
    },
  ],
  [
    'a checkpoint of another key',
    'CHECKPOINT_KEY',
    (b) => {
      b.trail.checkpoint.publicKey = at(b.workers).publicKey;
    },
  ],
  [
    'another root',
    'CHECKPOINT_SIGNATURE',
    (b) => {
      b.trail.checkpoint.root = other(b.trail.checkpoint.root);
    },
  ],
  [
    'another chain',
    'CHECKPOINT_SIGNATURE',
    (b) => {
      b.trail.checkpoint.chain = bytesToHex(chainHash(CHAIN_START, CHAIN_START, nodeSha256));
    },
  ],
  [
    'another size',
    'CHECKPOINT_SIGNATURE',
    (b) => {
      b.trail.checkpoint.size += 1;
    },
  ],
  [
    'another time of the checkpoint',
    'CHECKPOINT_SIGNATURE',
    (b) => {
      b.trail.checkpoint.at = '2020-01-01T00:00:00.000Z';
    },
  ],
  [
    'another signature of the checkpoint',
    'CHECKPOINT_SIGNATURE',
    (b) => {
      b.trail.checkpoint.signature = at(b.receipts).batch.signature;
    },
  ],
  [
    'an event with another body',
    'EVENT_DIGEST',
    (b) => {
      event(b, 'verdict.given').body += ' ';
    },
  ],
  [
    'an event with another time',
    'EVENT_DIGEST',
    (b) => {
      event(b, 'task.placed').at = '2020-01-01T00:00:00.000Z';
    },
  ],
  [
    'an event of another kind',
    'EVENT_DIGEST',
    (b) => {
      event(b, 'ledger.booked').kind = 'ledger.refunded';
    },
  ],
  [
    'an event of another subject',
    'EVENT_DIGEST',
    (b) => {
      event(b, 'ledger.booked').subject = b.job.id;
    },
  ],
  [
    'an event with another digest',
    'EVENT_DIGEST',
    (b) => {
      event(b, 'job.accepted').digest = other(event(b, 'job.accepted').digest);
    },
  ],
  [
    'an event edited and digested anew',
    'EVENT_NOT_INCLUDED',
    (b) => {
      event(b, 'verdict.given').body += ' ';
      redigested(event(b, 'verdict.given'));
    },
  ],
  [
    'an event invented',
    'EVENT_NOT_INCLUDED',
    (b) => {
      b.trail.events.push({ ...event(b, 'verdict.given'), body: '{}' });
      redigested(at(b.trail.events, -1));
    },
  ],
  [
    'an event at another place',
    'EVENT_NOT_INCLUDED',
    (b) => {
      event(b, 'job.accepted').place += 1;
    },
  ],
  [
    'an event beyond the checkpoint',
    'EVENT_NOT_INCLUDED',
    (b) => {
      event(b, 'job.accepted').place = b.trail.checkpoint.size;
    },
  ],
  [
    'an audit path cut short',
    'EVENT_NOT_INCLUDED',
    (b) => {
      event(b, 'job.accepted').path.pop();
    },
  ],
  [
    'an audit path altered',
    'EVENT_NOT_INCLUDED',
    (b) => {
      const { path } = event(b, 'job.accepted');
      path[0] = other(path[0]);
    },
  ],
  [
    'an event shown twice',
    'EVENT_TWICE',
    (b) => {
      b.trail.events.push(event(b, 'task.placed'));
    },
  ],
  [
    'an event of another job',
    'EVENT_FOREIGN',
    (b) => {
      b.attempts.splice(b.attempts.indexOf(attempt(b, 'failed')), 1);
    },
  ],
  [
    'another spec',
    'SPEC_DIGEST',
    (b) => {
      b.spec.text = b.spec.text.replace('60s', '90s');
    },
  ],
  [
    'another digest of the spec',
    'SPEC_DIGEST',
    (b) => {
      b.spec.digest = other(b.spec.digest);
    },
  ],
  [
    'no acceptance',
    'JOB_NOT_ACCEPTED',
    (b) => {
      drop(b, 'job.accepted');
    },
  ],
  [
    'another hold',
    'JOB_CONTRADICTS',
    (b) => {
      b.job.hold = other(b.job.hold);
    },
  ],
  [
    'another account',
    'JOB_CONTRADICTS',
    (b) => {
      b.job.account = other(b.job.account);
    },
  ],
  [
    'another kind',
    'JOB_CONTRADICTS',
    (b) => {
      b.job.kind = 'training';
    },
  ],
  [
    'less verification than was asked for',
    'JOB_CONTRADICTS',
    (b) => {
      b.job.verify = 'none';
    },
  ],
  [
    'a spec swapped with its digest',
    'JOB_CONTRADICTS',
    (b) => {
      b.spec = { ...alone.spec };
    },
  ],
  [
    'a task left out',
    'JOB_CONTRADICTS',
    (b) => {
      b.tasks = [];
      b.attempts = [];
      b.workers = [];
      b.trail.events = b.trail.events.filter(({ kind }) => kind === 'job.accepted');
    },
  ],
  [
    'a task shown twice',
    'TASK_CONTRADICTS',
    (b) => {
      b.tasks.push(at(b.tasks.filter(({ role }) => role === 'audit')));
    },
  ],
  [
    'a check that repeats no task',
    'TASK_CONTRADICTS',
    (b) => {
      const audit = at(b.tasks.filter(({ role }) => role === 'audit'));
      audit.rootId = audit.id;
    },
  ],
  [
    'another payload',
    'TASK_DIGEST',
    (b) => {
      at(b.tasks).payload += ' ';
    },
  ],
  [
    'another digest of a payload',
    'TASK_DIGEST',
    (b) => {
      at(b.tasks).payloadDigest = other(at(b.tasks).payloadDigest);
    },
  ],
  [
    'a seed that was not given',
    'TASK_SEED',
    (b) => {
      at(b.tasks).seed = 7;
    },
  ],
  [
    'an input that was not given',
    'TASK_INPUTS',
    (b) => {
      at(b.tasks).inputs.push({ digest: b.spec.digest, sizeBytes: 1 });
    },
  ],
  [
    'another key of a worker',
    'WORKER_KEY',
    (b) => {
      at(b.workers).publicKey = b.trail.checkpoint.publicKey;
    },
  ],
  [
    'a worker that never joined',
    'WORKER_KEY',
    (b) => {
      drop(b, 'worker.joined');
    },
  ],
  [
    'a worker left out',
    'WORKER_KEY',
    (b) => {
      const { id } = at(b.workers);
      b.workers.shift();
      b.trail.events = b.trail.events.filter(({ subject }) => subject !== id);
    },
  ],
  [
    'an attempt that was not decided',
    'ATTEMPT_NOT_PLACED',
    (b) => {
      drop(b, 'task.placed');
    },
  ],
  [
    'another fence',
    'ATTEMPT_CONTRADICTS',
    (b) => {
      attempt(b, 'rejected').fence += 1;
    },
  ],
  [
    'an attempt by another worker',
    'ATTEMPT_CONTRADICTS',
    (b) => {
      attempt(b, 'rejected').workerId = attempt(b, 'accepted').workerId;
    },
  ],
  [
    'an attempt at another task',
    'ATTEMPT_CONTRADICTS',
    (b) => {
      attempt(b, 'rejected').taskId = attempt(b, 'accepted').taskId;
    },
  ],
  [
    'attempts in another order',
    'FENCE_NOT_RISING',
    (b) => {
      attempt(b, 'failed').number = 9;
    },
  ],
  [
    'another text of a receipt',
    'RECEIPT_HASH',
    (b) => {
      at(b.receipts).text = at(b.receipts).text.replace('"billableMs":5', '"billableMs":6');
    },
  ],
  [
    'a receipt altered and hashed anew',
    'RECEIPT_FOREIGN',
    (b) => {
      at(b.receipts).hash = other(at(b.receipts).hash);
    },
  ],
  [
    'a receipt of another attempt',
    'RECEIPT_FOREIGN',
    (b) => {
      b.receipts.push(at(alone.receipts));
    },
  ],
  [
    'a receipt shown twice',
    'RECEIPT_FOREIGN',
    (b) => {
      b.receipts.push(at(b.receipts));
    },
  ],
  [
    'a receipt left out',
    'RECEIPT_MISSING',
    (b) => {
      b.receipts.pop();
    },
  ],
  [
    'a receipt denied',
    'RECEIPT_MISSING',
    (b) => {
      b.receipts.pop();
      at(b.attempts, -1).receiptHash = null;
    },
  ],
  [
    'another place in the batch',
    'RECEIPT_SIGNATURE',
    (b) => {
      at(b.receipts).batch.index = 0;
    },
    'alone',
  ],
  [
    'a place outside the batch',
    'RECEIPT_PROOF',
    (b) => {
      at(b.receipts).batch.index = 3;
    },
    'alone',
  ],
  [
    'another size of the batch',
    'RECEIPT_PROOF',
    (b) => {
      at(b.receipts).batch.size = 1;
    },
    'alone',
  ],
  [
    'a path in the batch altered',
    'RECEIPT_SIGNATURE',
    (b) => {
      const { path } = at(b.receipts).batch;
      path[0] = other(path[0]);
    },
    'alone',
  ],
  [
    'a path in the batch cut short',
    'RECEIPT_PROOF',
    (b) => {
      at(b.receipts).batch.path.pop();
    },
    'alone',
  ],
  [
    'another signature of the batch',
    'RECEIPT_SIGNATURE',
    (b) => {
      at(b.receipts).batch.signature = b.trail.checkpoint.signature;
    },
  ],
  [
    'a receipt under another key',
    'RECEIPT_SIGNATURE',
    (b) => {
      at(b.receipts).publicKey = b.trail.checkpoint.publicKey;
    },
  ],
  [
    'a receipt that says it is of another worker',
    'RECEIPT_SIGNER',
    (b) => {
      at(b.receipts).workerId = other(at(b.receipts).workerId);
    },
  ],
  [
    'another runtime class',
    'RECEIPT_MISMATCH',
    (b) => {
      for (const one of b.attempts) one.runtimeClass = 'noop/2';
    },
  ],
  [
    'an output added',
    'OUTPUT_CONTRADICTS',
    (b) => {
      at(b.attempts, -1).outputs.push({ name: 'x', digest: b.spec.digest, sizeBytes: 1 });
    },
  ],
  [
    'an output with another digest',
    'OUTPUT_CONTRADICTS',
    (b) => {
      const output = at(at(b.attempts).outputs);
      output.digest = other(output.digest);
    },
    'alone',
  ],
  [
    'an output with another size',
    'OUTPUT_CONTRADICTS',
    (b) => {
      at(at(b.attempts).outputs).sizeBytes += 1;
    },
    'alone',
  ],
  [
    'a receipt the trail does not name',
    'RECEIPT_NOT_IN_TRAIL',
    (b) => {
      drop(b, 'verdict.given');
    },
    'alone',
  ],
  [
    'a receipt stored without a word',
    'RECEIPT_NOT_IN_TRAIL',
    (b) => {
      drop(b, 'receipt.stored');
    },
  ],
  [
    'a verdict without an event',
    'VERDICT_MISSING',
    (b) => {
      drop(b, 'verdict.given');
    },
  ],
  [
    'a verdict kept silent',
    'VERDICT_MISSING',
    (b) => {
      attempt(b, 'rejected').verdict = null;
    },
  ],
  [
    'a verdict turned',
    'VERDICT_CONTRADICTS',
    (b) => {
      const one = attempt(b, 'rejected');
      one.state = 'accepted';
      if (one.verdict) one.verdict.verdict = 'accepted';
    },
  ],
  [
    'another reason for a verdict',
    'VERDICT_CONTRADICTS',
    (b) => {
      const { verdict } = attempt(b, 'rejected');
      if (verdict) verdict.reason = 'because';
    },
  ],
  [
    'another payer',
    'VERDICT_CONTRADICTS',
    (b) => {
      const { verdict } = attempt(b, 'accepted');
      if (verdict) verdict.payer = 'nobody';
    },
  ],
  [
    'a state that no verdict gave',
    'VERDICT_CONTRADICTS',
    (b) => {
      attempt(b, 'rejected').state = 'lost';
    },
  ],
  [
    'another price',
    'CHARGE_CONTRADICTS',
    (b) => {
      const { charge } = attempt(b, 'accepted');
      if (charge) charge.price = other(charge.price);
    },
  ],
  [
    'another fee',
    'CHARGE_CONTRADICTS',
    (b) => {
      const { charge } = at(b.attempts);
      if (charge) charge.fee = other(charge.fee);
    },
    'alone',
  ],
  [
    'a charge kept silent',
    'CHARGE_CONTRADICTS',
    (b) => {
      attempt(b, 'accepted').charge = null;
    },
  ],
  [
    'a charge for what was rejected',
    'CHARGE_CONTRADICTS',
    (b) => {
      attempt(b, 'rejected').charge = { price: '1', fee: '0', payer: 'submitter', refunded: false };
    },
  ],
  [
    'a refund that was not made',
    'CHARGE_CONTRADICTS',
    (b) => {
      const { charge } = attempt(b, 'accepted');
      if (charge) charge.refunded = true;
    },
  ],
  [
    'a booking without its event',
    'CHARGE_CONTRADICTS',
    (b) => {
      drop(b, 'ledger.booked');
    },
  ],
  [
    'an entry that makes money',
    'LEDGER_UNBALANCED',
    (b) => {
      at(entry(b, 'hold').postings).amount = other(at(entry(b, 'hold').postings).amount);
    },
  ],
  [
    'an entry twice',
    'LEDGER_TWICE',
    (b) => {
      b.ledger.push(entry(b, 'hold'));
    },
  ],
  [
    'an entry of another job',
    'LEDGER_FOREIGN',
    (b) => {
      b.ledger.push(entry(judged, 'hold'));
    },
    'alone',
  ],
  [
    'an entry of a kind that is none',
    'LEDGER_FOREIGN',
    (b) => {
      entry(b, 'release').kind = 'gift';
    },
  ],
  [
    'a charge paid to somebody else',
    'LEDGER_CONTRADICTS',
    (b) => {
      const leg = at(
        entry(b, 'charge').postings.filter(({ account }) => account.startsWith('wrk_')),
      );
      leg.account = `${other(leg.account.slice(0, 30))}:earned`;
    },
    'alone',
  ],
  [
    'a charge that pays the worker less',
    'LEDGER_CONTRADICTS',
    (b) => {
      for (const leg of entry(b, 'charge').postings) {
        if (leg.account.endsWith(':available')) leg.amount = String(BigInt(leg.amount) + 1n);
        if (leg.account.startsWith('wrk_')) leg.amount = String(BigInt(leg.amount) - 1n);
      }
    },
    'alone',
  ],
  [
    'no hold',
    'LEDGER_MISSING',
    (b) => {
      b.ledger = b.ledger.filter(({ kind }) => kind !== 'hold');
    },
  ],
  [
    'a check that was not paid',
    'LEDGER_MISSING',
    (b) => {
      b.ledger = b.ledger.filter(({ kind }) => kind !== 'check');
    },
  ],
];

const cases = TAMPERINGS.map(([what, code, tamper, which = 'judged']) => ({
  what,
  code,
  tamper,
  which,
}));

test.each(cases)('a bundle with $what is refused: $code (T18)', ({ code, tamper, which }) => {
  const bundle = structuredClone(which === 'alone' ? alone : judged);
  tamper(bundle);
  const trust = { network: 'testnet', publicKeys: [operatorKey] };
  expect(check(bundle, trust).fault).toMatchObject({ code });
});

test('more than fifty kinds of tampering were tried', () => {
  expect(TAMPERINGS.length).toBeGreaterThan(50);
});

test('a bundle that was signed by another operator passes only for whoever does not know the key', () => {
  expect(
    check(alone, { publicKeys: ['4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM'] }).fault,
  ).toMatchObject({ code: 'CHECKPOINT_KEY' });
  expect(check(alone).fault).toBeNull();
});

test('whatever else is given as a bundle is refused and never throws', () => {
  for (const nonsense of [
    null,
    1,
    'x',
    [],
    {},
    { format: 'tidemill/provenance/1' },
    JSON.parse(canonicalJson({ a: [1] })),
  ]) {
    expect(check(nonsense).fault).toMatchObject({ code: 'BUNDLE_MALFORMED' });
  }
});
