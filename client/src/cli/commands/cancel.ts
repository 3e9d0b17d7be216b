import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { tokens } from '../output/quantities.js';

export const cancelCommand = (cli: Cli) =>
  new Command('cancel')
    .description(
      'cancel a job; what was accepted until then is paid, the rest of the hold comes back',
    )
    .argument('<id>', 'the job')
    .action(
      cli.act(async (session, id: string) => {
        const job = await session.tidemill().jobs.cancel(id);
        session.show(job, () => `${job.id} ${job.state}, cost ${tokens(job.cost)}\n`);
      }),
    );
