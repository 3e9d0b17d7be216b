import { Command } from 'commander';
import type { JobDetail } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { metricsText } from '../follow/progress-bar.js';
import { ago, tokens } from '../output/quantities.js';
import { stateCell } from '../output/states.js';
import type { Cell } from '../output/table.js';
import type { Session } from '../session.js';

export const getCommand = (cli: Cli) =>
  new Command('get')
    .description('show one job with its tasks and attempts')
    .argument('<id>', 'the job')
    .action(
      cli.act(async (session, id: string) => {
        const job = await session.tidemill().jobs.get(id);
        session.show(job, () => `${jobFacts(session, job)}\n${attempts(session, job)}`);
      }),
    );

function jobFacts(session: Session, job: JobDetail): string {
  const now = session.io.nowMs();
  const pairs: [string, Cell][] = [
    ['id', job.id],
    ['name', job.name ?? '-'],
    ['kind', job.kind],
    ['labels', labelsText(job.labels)],
    ['state', stateCell(job.state, session.io)],
    ['submitted', ago(job.createdAt, now)],
    ['started', ago(job.startedAt, now)],
    ['finished', ago(job.finishedAt, now)],
    [
      'tasks',
      `${job.tasks.succeeded} of ${job.tasks.total} succeeded, ${job.tasks.running} running`,
    ],
    ['verified by', job.verify.applied],
    ['hold', tokens(job.hold)],
    ['cost', tokens(job.cost)],
  ];
  if (job.reason !== null) pairs.push(['reason', `${job.reason.code}: ${job.reason.message}`]);
  if (job.progress !== null) {
    const { step, totalSteps, metrics } = job.progress;
    pairs.push(['progress', `step ${step} of ${totalSteps}  ${metricsText(metrics)}`]);
  }
  const start = job.expectedStart;
  if (job.state === 'queued' && start !== null) {
    const basis =
      start.estimate === null ? start.reason : `${start.estimate.p50} (${start.estimate.basis})`;
    pairs.push(['expected start', basis ?? '-']);
  }
  return session.facts(pairs);
}

const labelsText = (labels: JobDetail['labels']): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || '-';

function attempts(session: Session, job: JobDetail): string {
  const rows = job.taskList.flatMap((task) =>
    task.attempts.map((attempt) => [
      task.index,
      `${attempt.number} ${attempt.role}`,
      stateCell(attempt.state, session.io),
      attempt.workerId,
      attempt.price === null ? '-' : tokens(attempt.price),
      attempt.decisionId ?? '-',
      attempt.reason ?? '',
    ]),
  );
  return session.table(['task', 'attempt', 'state', 'worker', 'price', 'decision', 'reason'], rows);
}
