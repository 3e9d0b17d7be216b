import type { JobDetail } from '@tidemill/client';
import { expect } from '../expectation.js';
import { replicatedSpec } from '../job-specs.js';
import { nameOf, type StoredDigits, type World } from '../world.js';

const DEADLINE_MS = 60_000;
/** Receipts reach their place in the trail within a second. */
const PLACED_WITHIN_MS = 5_000;

/** Lets two workers do the same training, and compares what they signed. */
export async function replication(world: World, digits: StoredDigits): Promise<JobDetail> {
  const { stage, submitter } = world;
  stage.heading('The same task on two workers');
  const { id, verify } = await submitter.jobs.create(replicatedSpec(digits));
  const job = await submitter.jobs.wait(id, { timeoutMs: DEADLINE_MS });
  expect(
    job.state === 'succeeded',
    'both should agree',
    `the job ${job.state}: ${job.reason?.message ?? ''}`,
  );
  stage.fact('verification', verify.applied);

  for (const task of job.taskList) {
    const accepted = task.attempts.filter(({ state }) => state === 'accepted');
    const workers = new Set(accepted.map(({ workerId }) => workerId));
    expect(workers.size >= 2, 'two workers should have done the task', `${workers.size} did`);
    const signed = await commitments(
      world,
      accepted.map((attempt) => attempt.id),
    );
    for (const { workerId, id: attempt } of accepted)
      stage.fact(nameOf(world, workerId), signed.get(attempt) ?? '');
    expect(
      new Set(signed.values()).size === 1,
      'both commitments should be the same',
      [...signed.values()].join(' and '),
    );
  }
  stage.good('weights, optimizer, step and metrics are the same, bit for bit');
  return job;
}

/** What each attempt's receipt commits to, as the trail shows it. */
async function commitments(
  { submitter }: World,
  attempts: readonly string[],
): Promise<Map<string, string>> {
  const wanted = new Set(attempts);
  const found = new Map<string, string>();
  const deadline = performance.now() + PLACED_WITHIN_MS;
  while (found.size < wanted.size && performance.now() < deadline) {
    for await (const { kind, subject, body } of submitter.trail.events()) {
      if (kind !== 'receipt.stored' || !wanted.has(subject)) continue;
      found.set(subject, String((JSON.parse(body) as { result: unknown }).result));
    }
  }
  expect(
    found.size === wanted.size,
    'every receipt should be in the trail',
    `${found.size} of ${wanted.size} are`,
  );
  return found;
}
