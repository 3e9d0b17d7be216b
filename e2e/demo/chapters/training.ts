import type { JobDetail } from '@tidemill/client';
import type { WorkerHandle } from '@tidemill/localnet';
import { formatAmount } from '@tidemill/protocol';
import pc from 'picocolors';
import { expect } from '../expectation.js';
import { trainingSpec } from '../job-specs.js';
import { bar } from '../stage.js';
import { TrainingWatch, type Watched } from '../training-watch.js';
import { nameOf, type StoredDigits, type World } from '../world.js';

const DEADLINE_MS = 240_000;

interface Kill {
  readonly worker: WorkerHandle;
  readonly task: string;
  readonly attempt: string;
  readonly atStep: number;
  readonly atMs: number;
}

interface Resumption {
  readonly worker: string;
  readonly atStep: number;
  readonly afterMs: number;
}

/** Trains a model, kills the worker half-way, and sees that another one goes on from the last checkpoint. */
export async function training(
  world: World,
  digits: StoredDigits,
): Promise<{ job: JobDetail; killed: WorkerHandle }> {
  const { stage, submitter } = world;
  stage.heading('Training a model, and losing the worker half-way');
  const { id, hold, tasks } = await submitter.jobs.create(trainingSpec(digits));
  stage.fact('job', `${id}, ${tasks.total} segments, ${formatAmount(BigInt(hold))} tokens held`);

  const primaryTasks = new Set((await submitter.jobs.get(id)).taskList.map((task) => task.id));
  const watch = new TrainingWatch(primaryTasks);
  let kill: Kill | undefined;
  let resumed: Resumption | undefined;
  const job = await submitter.jobs.wait(id, {
    timeoutMs: DEADLINE_MS,
    onEvent: (event) => {
      const now = watch.take(event);
      if (now === null) return;
      stage.live(progressLine(world, now));
      if (kill === undefined && now.step >= now.totalSteps / 2) kill = killWorker(world, now);
      else if (kill !== undefined && resumed === undefined && isSuccessor(kill, now)) {
        resumed = { worker: now.worker, atStep: now.step, afterMs: performance.now() - kill.atMs };
        stage.endLive();
        stage.good(
          `${nameOf(world, now.worker)} goes on after ${(resumed.afterMs / 1000).toFixed(1)} s, seen first at step ${now.step}`,
        );
      }
    },
  });
  stage.endLive();
  const why = job.reason === null ? '' : ` (${job.reason.code}: ${job.reason.message})`;
  expect(job.state === 'succeeded', 'the training should succeed', `it ${job.state}${why}`);
  expect(kill !== undefined, 'a worker should be killed half-way', 'no progress was seen in time');
  expect(resumed !== undefined, 'another worker should go on', 'none was seen');
  checkRoad(world, job, kill);
  return { job, killed: kill.worker };
}

function progressLine(world: World, { step, totalSteps, metrics, worker }: Watched): string {
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const width = String(totalSteps).length;
  return [
    bar(step / totalSteps),
    `step ${String(step).padStart(width)}/${totalSteps}`,
    ...figures,
    pc.cyan(nameOf(world, worker)),
  ].join('  ');
}

function killWorker({ network, stage }: World, now: Watched): Kill | undefined {
  const worker = network.workers.find(({ id }) => id === now.worker);
  if (worker === undefined || !worker.kill('SIGKILL')) return undefined;
  stage.endLive();
  stage.line(
    `   ${pc.red('✗')} ${worker.name} (pid ${worker.pid}) is killed with SIGKILL at step ${now.step}`,
  );
  return {
    worker,
    task: now.task,
    attempt: now.attempt,
    atStep: now.step,
    atMs: performance.now(),
  };
}

/** Progress of another worker: on the task that was interrupted, or on the next one if that had just been finished. */
const isSuccessor = (kill: Kill, now: Watched) =>
  now.attempt !== kill.attempt && now.worker !== kill.worker.id;

/** Every segment counts once, and the kill cost no more than what that worker was at. */
function checkRoad(world: World, job: JobDetail, kill: Kill): void {
  const { stage } = world;
  const doneAgain: number[] = [];
  for (const { index, attempts } of job.taskList) {
    const primaries = attempts.filter(({ role }) => role === 'primary');
    const accepted = primaries.filter(({ state }) => state === 'accepted');
    expect(
      accepted.length === 1,
      `segment ${index + 1} should count once`,
      `${accepted.length} attempts were accepted`,
    );
    const lost = primaries.filter(({ state }) => state === 'lost');
    if (lost.length > 0) doneAgain.push(index + 1);
    const by = (role: string, attempt: { workerId: string }) =>
      role === '' ? nameOf(world, attempt.workerId) : `${role} ${nameOf(world, attempt.workerId)}`;
    stage.fact(
      `segment ${index + 1}`,
      [
        ...accepted.map((attempt) => by('', attempt)),
        ...lost.map((attempt) => pc.red(by('lost on', attempt))),
        ...attempts
          .filter(({ role }) => role === 'audit')
          .map((attempt) => pc.green(by('checked by', attempt))),
      ].join(', '),
    );
  }
  const interrupted = job.taskList.findIndex(({ id }) => id === kill.task);
  // The worker may have been given the next segment when it died, but nothing before the one it was at.
  expect(
    doneAgain.every((segment) => segment > interrupted),
    'no finished segment should be done again',
    `segments ${doneAgain.join(', ')} were`,
  );
  const again = doneAgain.length === 0 ? 'nothing' : `only segment ${doneAgain.join(' and ')}`;
  stage.good(
    `${interrupted} finished segments stayed as they were; ${again} of ${job.taskList.length} was done again`,
  );
}
