import { utf8ToBytes, bytesToHex } from '../crypto.js';
import { TaskPayload } from '../payload.js';
import { parseJson } from '../json-scan.js';
import type { ProvenAttempt, ProvenTask } from './bundle.js';
import { fault, firstFault, type Case, type ProvenanceFault } from './case.js';
import type { ProvenanceTrust } from './check-trail.js';
import { verifyReceipt } from './receipt-proof.js';

/** Longest payload that is read: a job's spec is at most 4 MiB, and a payload is made from it. */
const MAX_PAYLOAD = 16 * 1024 * 1024;

/** What was asked is what was accepted, and it is the job that is meant. */
export function checkSpec(of: Case, trust: ProvenanceTrust): ProvenanceFault | null {
  const { job, spec, tasks } = of.bundle;
  if (trust.job !== undefined && trust.job !== job.id) {
    return fault('JOB_CONTRADICTS', `it is the bundle of ${job.id}, not of ${trust.job}`);
  }
  if (digestOf(of, spec.text) !== spec.digest) {
    return fault('SPEC_DIGEST', 'the spec is not what its digest says');
  }
  const [accepted, ...again] = of.said('job.accepted', job.id);
  if (accepted === undefined || again.length > 0) {
    return fault(
      'JOB_NOT_ACCEPTED',
      `the trail says ${again.length === 0 ? 'nothing' : 'twice'} that ${job.id} was accepted`,
    );
  }
  const asked = tasks.filter(({ role }) => role === 'primary' || role === 'replica').length;
  const shown: Record<string, unknown> = {
    account: job.account,
    kind: job.kind,
    spec: spec.digest,
    tasks: asked,
    hold: job.hold,
    verify: job.verify,
  };
  return firstFault(Object.entries(shown), ([name, value]) =>
    accepted[name] === value
      ? null
      : fault(
          'JOB_CONTRADICTS',
          `${name} is ${String(value)}, accepted was ${String(accepted[name])}`,
        ),
  );
}

/** Every task's payload is what its digest says, and seed and inputs are those of the payload. */
export function checkTasks(of: Case): ProvenanceFault | null {
  const ids = new Set<string>();
  const roots = new Map(of.bundle.tasks.map((task) => [task.id, task]));
  return firstFault(of.bundle.tasks, (task) => {
    const isDouble = ids.has(task.id);
    ids.add(task.id);
    const root = roots.get(task.rootId);
    const isRoot = (task.role === 'primary') === (task.rootId === task.id);
    if (
      isDouble ||
      root === undefined ||
      root.role !== 'primary' ||
      !isRoot ||
      root.index !== task.index
    ) {
      return fault('TASK_CONTRADICTS', `${task.id} is shown twice, or repeats no task of the job`);
    }
    return digestOf(of, task.payload) === task.payloadDigest
      ? payloadFault(task)
      : fault('TASK_DIGEST', `the payload of ${task.id} is not what its digest says`);
  });
}

function payloadFault(task: ProvenTask): ProvenanceFault | null {
  const json = parseJson(task.payload, MAX_PAYLOAD);
  const payload = json.ok ? TaskPayload.safeParse(json.value) : undefined;
  const seed =
    payload?.data?.runtime === 'tfjs' && 'seed' in payload.data.tfjs
      ? payload.data.tfjs.seed
      : null;
  if (seed !== task.seed) {
    return fault(
      'TASK_SEED',
      `${task.id} was to use seed ${seed ?? 'none'}, not ${task.seed ?? 'none'}`,
    );
  }
  const named = new Set(task.payload.match(/sha256:[0-9a-f]{64}/g) ?? []);
  const listed = new Set<string>(task.inputs.map(({ digest }) => digest));
  const odd =
    [...named].find((digest) => !listed.has(digest)) ??
    [...listed].find((digest) => !named.has(digest));
  return odd === undefined
    ? null
    : fault('TASK_INPUTS', `${task.id}: ${odd} is listed or named alone`);
}

/** Every attempt was placed as it is shown, under a fence that is its own. */
export function checkAttempts(of: Case): ProvenanceFault | null {
  const tasks = new Set(of.bundle.tasks.map(({ id }) => id));
  const fences = new Map<string, number>();
  const byFence = [...of.bundle.attempts].sort((a, b) => a.number - b.number);
  return firstFault(byFence, ({ id, taskId, workerId, fence, number }) => {
    const [placed, ...again] = of.said('task.placed', id);
    if (placed === undefined || again.length > 0) {
      return fault('ATTEMPT_NOT_PLACED', `the trail does not say once that ${id} was placed`);
    }
    const shown: Record<string, unknown> = {
      attempt: id,
      task: taskId,
      job: of.bundle.job.id,
      worker: workerId,
      fence,
    };
    const odd = Object.keys(shown).find((name) => placed[name] !== shown[name]);
    if (odd !== undefined || !tasks.has(taskId)) {
      return fault('ATTEMPT_CONTRADICTS', `${id}: ${odd ?? 'task'} is not what was decided`);
    }
    const before = fences.get(taskId) ?? 0;
    fences.set(taskId, fence);
    return fence > before
      ? null
      : fault('FENCE_NOT_RISING', `${id} (attempt ${number}) has fence ${fence} after ${before}`);
  });
}

/** Every receipt is its worker's own word, about this attempt and this payload, and the trail names it. */
export function checkReceipts(of: Case): ProvenanceFault | null {
  const attempts = new Map(of.bundle.attempts.map((attempt) => [attempt.id, attempt]));
  const tasks = new Map(of.bundle.tasks.map((task) => [task.id, task]));
  const wrong = firstFault(of.bundle.receipts, (signed) => {
    const attempt = attempts.get(signed.attemptId);
    if (
      attempt === undefined ||
      of.receipts.has(signed.attemptId) ||
      attempt.receiptHash !== signed.hash
    ) {
      return fault('RECEIPT_FOREIGN', `${signed.attemptId} has no such receipt`);
    }
    const check = verifyReceipt(signed, of.crypto);
    if (!check.ok) return fault(check.code, check.detail);
    const { receipt } = check;
    if (of.keys.get(attempt.workerId)?.has(signed.publicKey) !== true) {
      return fault('RECEIPT_SIGNER', `${signed.publicKey} is not a key of ${attempt.workerId}`);
    }
    of.receipts.set(signed.attemptId, receipt);
    const shown = {
      network: of.bundle.network,
      workerId: attempt.workerId,
      jobId: of.bundle.job.id,
      taskId: attempt.taskId,
      fence: attempt.fence,
      ...(attempt.runtimeClass === null ? {} : { runtimeClass: attempt.runtimeClass }),
      // A task that was taken back got another payload for its next attempts.
      ...(attempt.reason === 'void'
        ? {}
        : { taskDigest: tasks.get(attempt.taskId)?.payloadDigest }),
    };
    const odd = (Object.keys(shown) as (keyof typeof shown)[]).find(
      (name) => receipt[name] !== shown[name],
    );
    if (odd !== undefined) {
      return fault('RECEIPT_MISMATCH', `${attempt.id}: its receipt has another ${odd}`);
    }
    return outputFault(attempt, receipt.outputs) ?? trailFault(of, attempt);
  });
  return (
    wrong ??
    firstFault(of.bundle.attempts, ({ id, receiptHash, state, verdict }) => {
      const needsOne = receiptHash !== null || verdict !== null || state === 'accepted';
      return needsOne && !of.receipts.has(id)
        ? fault('RECEIPT_MISSING', `${id} has no receipt`)
        : null;
    })
  );
}

function outputFault(
  attempt: ProvenAttempt,
  signed: ProvenAttempt['outputs'],
): ProvenanceFault | null {
  const lines = (outputs: ProvenAttempt['outputs']): string =>
    outputs
      .map(({ name, digest, sizeBytes }) => `${name} ${digest} ${sizeBytes}\n`)
      .sort()
      .join('');
  return lines(attempt.outputs) === lines(signed)
    ? null
    : fault('OUTPUT_CONTRADICTS', `the outputs of ${attempt.id} are not those of its receipt`);
}

/** A receipt that may be checked goes into the trail when it arrives, the others with their verdict. */
function trailFault(of: Case, { id, receiptHash, verdict }: ProvenAttempt): ProvenanceFault | null {
  const named = [...of.said('receipt.stored', id), ...of.said('verdict.given', id)]
    .map(({ receipt }) => receipt)
    .filter((hash) => hash !== undefined);
  const isDue = verdict !== null || of.bundle.job.verify !== 'none';
  if (named.length === 0 && !isDue) return null;
  return named.length > 0 && named.every((hash) => hash === receiptHash)
    ? null
    : fault('RECEIPT_NOT_IN_TRAIL', `the trail names no or another receipt for ${id}`);
}

/** Every verdict is the one the trail gives, once; and a job that succeeded has a result for each task. */
export function checkVerdicts(of: Case): ProvenanceFault | null {
  const { attempts, tasks, job } = of.bundle;
  const wrong = firstFault(attempts, ({ id, taskId, state, verdict }) => {
    const given = of.said('verdict.given', id);
    if (given.length !== (verdict === null ? 0 : 1)) {
      return fault(
        'VERDICT_MISSING',
        `${id}: the trail gives ${given.length} verdicts, shown ${verdict === null ? 'is none' : 'is one'}`,
      );
    }
    const isState =
      (state === 'accepted' || state === 'rejected') === (verdict !== null) &&
      (verdict === null || state === verdict.verdict);
    const shown: Record<string, unknown> = { attempt: id, task: taskId, ...verdict };
    const odd =
      verdict === null
        ? undefined
        : Object.keys(shown).find((name) => given[0]?.[name] !== shown[name]);
    return isState && odd === undefined
      ? null
      : fault('VERDICT_CONTRADICTS', `${id}: ${odd ?? 'state'} is not what was found`);
  });
  if (wrong !== null || job.state !== 'succeeded') return wrong;
  const good = new Set(
    attempts
      .filter(
        ({ id, state, reason }) =>
          state === 'accepted' && reason !== 'void' && of.receipts.get(id)?.outcome === 'succeeded',
      )
      .map(({ taskId }) => tasks.find(({ id }) => id === taskId)?.rootId),
  );
  const without = tasks.find(({ id, role }) => role === 'primary' && !good.has(id));
  return without === undefined
    ? null
    : fault('RESULT_MISSING', `${without.id} has no accepted result`);
}

const digestOf = ({ crypto }: Case, text: string): string =>
  `sha256:${bytesToHex(crypto.sha256(utf8ToBytes(text)))}`;
