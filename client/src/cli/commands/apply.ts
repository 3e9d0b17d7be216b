import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { followJob } from '../follow/follow-job.js';
import { prepareSpecs } from '../job-file/prepare.js';
import { tokens } from '../output/quantities.js';
import type { Session } from '../session.js';

interface ApplyOptions {
  readonly file: string;
  readonly wait?: boolean;
  readonly idempotencyKey?: string;
}

export const applyCommand = (cli: Cli) =>
  new Command('apply')
    .description('submit the jobs of a file, all or none; several stand between --- lines')
    .requiredOption('-f, --file <file>', 'a job file in YAML or JSON, or - for standard input')
    .option('--wait', 'follow them to their end; the exit status tells how they ended')
    .option('--idempotency-key <key>', 'the same key within 7 days submits once')
    .action(
      cli.act(async (session, options: ApplyOptions) => {
        const ids = await submit(session, options);
        if (!options.wait) return EXIT.succeeded;
        return followAll(session, ids);
      }),
    );

async function submit(
  session: Session,
  { file, wait, idempotencyKey }: ApplyOptions,
): Promise<string[]> {
  const tidemill = session.tidemill();
  const specs = await prepareSpecs(file, tidemill, session);
  const options = idempotencyKey === undefined ? {} : { idempotencyKey };
  const [only] = specs;
  const jobs =
    specs.length === 1 && only !== undefined
      ? [await tidemill.jobs.create(only, options)]
      : await tidemill.jobs.createMany(specs, options);
  // With --wait and --json the events follow line by line, so this stands on one line too.
  if (session.json && wait) session.io.out(`${JSON.stringify({ submitted: jobs })}\n`);
  else
    session.show({ jobs }, () =>
      jobs.map(({ id, hold }) => `${id}  hold ${tokens(hold)}\n`).join(''),
    );
  return jobs.map(({ id }) => id);
}

/** One after the other; the first that did not succeed gives the exit code. */
async function followAll(session: Session, ids: readonly string[]): Promise<ExitCode> {
  let worst: ExitCode = EXIT.succeeded;
  for (const id of ids) {
    const ended = await followJob(session, session.tidemill(), id);
    if (worst === EXIT.succeeded) worst = ended;
  }
  return worst;
}
