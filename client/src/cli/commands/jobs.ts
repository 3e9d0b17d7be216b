import { Command, Option } from 'commander';
import { JOB_KINDS, JOB_STATES } from '@tidemill/protocol';
import type { JobSpec, JobState } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { ago, tokens } from '../output/quantities.js';
import { stateCell } from '../output/states.js';
import { addLabel, duration, wholeNumber } from './options.js';

interface JobsOptions {
  readonly state?: JobState[];
  readonly kind?: JobSpec['kind'][];
  readonly name?: string;
  readonly label?: Record<string, string>;
  readonly since?: number;
  readonly limit: number;
  readonly cursor?: string;
}

/** The kinds that are offered. */
const KINDS = JOB_KINDS.filter((kind) => kind !== 'service');

export const jobsCommand = (cli: Cli) =>
  new Command('jobs')
    .description('list your jobs, newest first')
    .addOption(
      new Option('--state <state...>', 'only jobs in these states').choices([...JOB_STATES]),
    )
    .addOption(new Option('--kind <kind...>', 'only jobs of these kinds').choices(KINDS))
    .option('--name <prefix>', 'only jobs whose name begins like this')
    .option('--label <key=value>', 'only jobs with this label (may be repeated)', addLabel)
    .option('--since <duration>', 'only jobs submitted within it, such as 2h', duration)
    .option('--limit <count>', 'at most so many', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action(
      cli.act(async (session, { since, label, ...options }: JobsOptions) => {
        const page = await session.tidemill().jobs.list({
          ...options,
          ...(label === undefined ? {} : { labels: label }),
          ...(since === undefined
            ? {}
            : { createdAfter: new Date(session.io.nowMs() - since).toISOString() }),
        });
        const { items, nextCursor } = page;
        session.show(page, () => {
          if (items.length === 0) return 'No jobs. Try: tidemill run --noop 2s\n';
          const rows = items.map((job) => [
            job.id,
            job.name ?? '-',
            job.kind,
            stateCell(job.state, session.io),
            `${job.tasks.succeeded}/${job.tasks.total}`,
            tokens(job.cost),
            ago(job.createdAt, session.io.nowMs()),
          ]);
          return session.table(['id', 'name', 'kind', 'state', 'tasks', 'cost', 'submitted'], rows);
        });
        if (nextCursor !== null) session.remark(`There are more: --cursor ${nextCursor}`);
      }),
    );
