import { Command, Option } from 'commander';
import { JOB_STATES } from '@tidemill/protocol';
import type { JobState } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { ago, tokens } from '../output/quantities.js';
import { stateCell } from '../output/states.js';
import { wholeNumber } from './options.js';

export const jobsCommand = (cli: Cli) =>
  new Command('jobs')
    .description('list your jobs, newest first')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices([...JOB_STATES]))
    .option('--limit <count>', 'at most so many', wholeNumber(1, 200), 20)
    .action(
      cli.act(async (session, options: { state?: JobState; limit: number }) => {
        const { items } = await session.tidemill().jobs.list(options);
        session.show({ items }, () => {
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
      }),
    );
