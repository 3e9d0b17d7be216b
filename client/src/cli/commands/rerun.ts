import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { followJob } from '../follow/follow-job.js';
import { addLabel, amountText } from './options.js';

interface RerunOptions {
  readonly failed?: boolean;
  readonly maxCost?: string;
  readonly maxDuration?: string;
  readonly label?: Record<string, string>;
  readonly wait?: boolean;
}

export const rerunCommand = (cli: Cli) =>
  new Command('rerun')
    .description('run a job that has ended again, as a new one')
    .argument('<id>', 'the job')
    .option('--failed', 'only tasks without an accepted result, from the last checkpoint')
    .option('--max-cost <tokens>', 'in place of its limit', amountText)
    .option('--max-duration <duration>', 'in place of its limit, such as 30m')
    .option('--label <key=value>', 'labels in place of its own (may be repeated)', addLabel)
    .option('--wait', 'follow it to its end')
    .action(
      cli.act(async (session, id: string, options: RerunOptions) => {
        const { failed, maxCost, maxDuration, label, wait } = options;
        const limits = {
          ...(maxCost === undefined ? {} : { maxCost }),
          ...(maxDuration === undefined ? {} : { maxDuration }),
        };
        const tidemill = session.tidemill();
        const job = await tidemill.jobs.rerun(id, {
          from: failed === true ? 'failed' : 'start',
          ...(Object.keys(limits).length === 0 ? {} : { limits }),
          ...(label === undefined ? {} : { labels: label }),
        });
        if (wait === true) {
          session.remark(`submitted ${job.id}`);
          return followJob(session, tidemill, job.id);
        }
        session.show(job, () => `${job.id}\n`);
        return undefined;
      }),
    );
