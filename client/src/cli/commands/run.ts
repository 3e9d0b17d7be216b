import { Command } from 'commander';
import type { JobSpec } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import { followJob } from '../follow/follow-job.js';
import { prepareSpecs } from '../job-file/prepare.js';
import type { Session } from '../session.js';
import { addLabel, duration } from './options.js';

interface RunOptions {
  readonly noop?: number;
  readonly name?: string;
  readonly fail?: string;
  readonly label?: Record<string, string>;
}

export const runCommand = (cli: Cli) =>
  new Command('run')
    .description('submit one job and follow it to its end')
    .argument('[file]', 'a job file in YAML or JSON, or - for standard input')
    .option(
      '--noop <duration>',
      'no file: a job that does nothing for so long, to try the network',
      duration,
    )
    .option('--fail <message>', 'with --noop: let it fail with this message')
    .option('--name <name>', 'call the job this')
    .option('--label <key=value>', 'label the job (may be repeated)', addLabel)
    .addHelpText('after', '\nExamples:\n  tidemill run --noop 2s\n  tidemill run train.yaml')
    .action(
      cli.act(async (session, file: string | undefined, options: RunOptions) => {
        const tidemill = session.tidemill();
        const spec =
          file === undefined ? noopSpec(options) : await onlySpec(session, file, options);
        const { name, label } = options;
        const job = await tidemill.jobs.create({
          ...spec,
          ...(name === undefined ? {} : { name }),
          ...(label === undefined ? {} : { labels: { ...spec.labels, ...label } }),
        });
        session.remark(`submitted ${job.id}`);
        return followJob(session, tidemill, job.id);
      }),
    );

function noopSpec({ noop, fail }: RunOptions): JobSpec {
  if (noop === undefined) {
    throw new CliError('Nothing to run.', 'Name a job file, or try: tidemill run --noop 2s');
  }
  return {
    kind: 'batch',
    runtime: { noop: { sleepMs: noop, ...(fail === undefined ? {} : { fail }) } },
  };
}

async function onlySpec(session: Session, file: string, { noop }: RunOptions): Promise<JobSpec> {
  if (noop !== undefined) {
    throw new CliError('A job file and --noop exclude each other.', 'Leave one of them out.');
  }
  const specs = await prepareSpecs(file, session.tidemill(), session);
  const [spec] = specs;
  if (spec === undefined || specs.length > 1) {
    throw new CliError(
      `${file} holds ${specs.length} jobs; run takes one.`,
      `Submit them: tidemill apply -f ${file}`,
    );
  }
  return spec;
}
