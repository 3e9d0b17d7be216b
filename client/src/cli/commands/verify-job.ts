import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { JobId, type CheckpointView, type ProvenanceReport } from '@tidemill/protocol';
import { keptCheckpoints, verifyJob } from '../../verify/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Session } from '../session.js';
import { jsonDocument } from './json-document.js';
import { keptFileOf } from './verify-trail.js';

interface VerifyJobOptions {
  readonly out?: string;
  readonly publicKey?: string;
}

export const verifyJobCommand = (cli: Cli) =>
  new Command('job')
    .description('check a job: who did what, signed it, and was paid for it')
    .argument('<job>', 'its id, or a file that holds its bundle')
    .option('--out <file>', 'keep the bundle, to be checked again without the network')
    .option('--public-key <key>', "the operator's key in base58 (default: as seen before, if ever)")
    .action(cli.act(verify));

async function verify(session: Session, job: string, options: VerifyJobOptions): Promise<ExitCode> {
  const isId = JobId.safeParse(job).success;
  const bundle = isId
    ? await session.tidemill().jobs.provenance(job)
    : await jsonDocument(session, job);
  if (options.out !== undefined) {
    const file = resolve(session.io.cwd, options.out);
    await writeFile(file, `${JSON.stringify(bundle, null, 2)}\n`, { flag: 'wx' });
    session.remark(`wrote ${file}`);
  }
  const seen = isId ? await keptCheckpoints(keptFileOf(session)) : [];
  const report = verifyJob(bundle, {
    job: isId ? job : undefined,
    network: seen[0]?.network,
    publicKeys: options.publicKey === undefined ? keysOf(seen) : [options.publicKey],
  });
  session.show(report, () => text(session, report));
  return report.fault === null ? EXIT.succeeded : EXIT.failed;
}

/** The keys of checkpoints kept from earlier visits. A file may be of another network, so it is checked with a key that is given. */
const keysOf = (seen: readonly CheckpointView[]): string[] | undefined =>
  seen.length === 0 ? undefined : seen.map(({ publicKey }) => publicKey);

function text(session: Session, { checks, fault, isSettled, keyFrom }: ProvenanceReport): string {
  const { colors } = session.io;
  const shades = { ok: colors.green, bad: colors.red, 'not checked': colors.dim };
  const rows = checks.map(({ name, of, result }) => [name, of, { styled: shades[result](result) }]);
  const table = session.table(['check', 'of', 'result'], rows);
  if (fault !== null) {
    return `${table}\n${colors.red(`The job's evidence is bad: ${fault.code}.`)}\n${session.facts([['what', fault.detail]])}`;
  }
  const key =
    keyFrom === 'given'
      ? 'the key that was known before'
      : 'the key it shows itself: give --public-key to be sure whose it is';
  return `${table}\n${colors.green("The job's evidence is sound.")}\n${session.facts([
    ['signed with', key],
    ['settled', isSettled ? 'yes: the hold is spent or returned' : 'not yet: more may be booked'],
  ])}`;
}
