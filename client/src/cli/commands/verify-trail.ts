import { join, resolve } from 'node:path';
import { Command } from 'commander';
import {
  downloadTrail,
  keepCheckpoint,
  keptCheckpoints,
  servedTrail,
  trailFile,
  type TrailSource,
  type TrailVerification,
  verifyTrail,
} from '../../verify/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Session } from '../session.js';

interface VerifyOptions {
  readonly file?: string;
  readonly copy?: string;
  readonly witness?: string[];
  readonly export?: string;
  readonly publicKey?: string;
}

export const verifyTrailCommand = (cli: Cli) =>
  new Command('trail')
    .description('recompute the decision trail and compare it with every checkpoint seen before')
    .argument('[file]', 'an exported trail, instead of the one the network serves')
    .option('--file <file>', 'the same')
    .option('--export <file>', 'write the trail to a new file first, then check that')
    .option('--copy <file>', 'an earlier export, which names the very event that was changed')
    .option('--public-key <key>', "the operator's key in base58 (default: as seen first)")
    .option('--witness <key...>', 'a third party whose signed checkpoint it must agree with')
    .action(
      cli.act((session, file: string | undefined, options: VerifyOptions) =>
        verify(session, file === undefined ? options : { ...options, file }),
      ),
    );

async function verify(session: Session, options: VerifyOptions): Promise<ExitCode> {
  const source = await sourceOf(session, options);
  const shown = await source.checkpoint();
  const keptFile = keptFileOf(session);
  const kept = (await keptCheckpoints(keptFile)).filter(
    // A file may be of another network than the one that is asked otherwise.
    ({ network }) => options.file === undefined || network === shown?.network,
  );
  const result = await verifyTrail({
    source,
    kept,
    witnesses: options.witness,
    ...(options.copy === undefined
      ? {}
      : { copy: trailFile(resolve(session.io.cwd, options.copy)) }),
    ...(options.publicKey === undefined ? {} : { publicKeys: [options.publicKey] }),
  });
  const { fault, checkpoint } = result;
  if (fault === null && checkpoint !== null && options.file === undefined) {
    await keepCheckpoint(keptFile, checkpoint);
  }
  session.show({ ...result, comparedWith: kept.length }, () =>
    report(session, result, kept.length, keptFile),
  );
  const isWitnessed = result.witnesses.every((one) => one.result === 'ok');
  return fault === null && isWitnessed ? EXIT.succeeded : EXIT.failed;
}

async function sourceOf(session: Session, options: VerifyOptions): Promise<TrailSource> {
  const { cwd } = session.io;
  if (options.file !== undefined) return trailFile(resolve(cwd, options.file));
  const { trail } = session.tidemill();
  if (options.export === undefined) return servedTrail(trail);
  const file = resolve(cwd, options.export);
  const { events } = await downloadTrail((from) => trail.lines(from), file);
  session.remark(`wrote ${events} events to ${file}`);
  return trailFile(file);
}

/** Where checkpoints of this network are kept, from visit to visit. */
export const keptFileOf = (session: Session): string =>
  join(session.configDir, 'checkpoints', `${hostOf(session.url)}.json`);

/** The address as a file name. */
const hostOf = (url: string) => new URL(url).host.replace(/[^A-Za-z0-9.-]/g, '_');

function report(
  session: Session,
  result: TrailVerification,
  kept: number,
  keptFile: string,
): string {
  const { colors } = session.io;
  const { fault, size, vouched, root, keyFrom, checkpoint } = result;
  if (fault === null) {
    const trust = {
      given: 'the key you gave',
      kept: 'the key seen before',
      shown: 'the key it shows: this visit proves only that the trail agrees with itself',
    }[keyFrom];
    const missing = result.witnesses.filter((one) => one.result !== 'ok');
    const verdict =
      missing.length === 0
        ? colors.green('The trail is sound.')
        : colors.red('The trail agrees with itself, but a witness does not vouch for it.');
    return `${verdict}\n${session.facts([
      ['events', size],
      [
        'vouched for',
        checkpoint === null
          ? 'no checkpoint is signed yet, one is due every minute'
          : `${vouched} by signed checkpoints, with ${trust}`,
      ],
      ['compared with', `${kept} checkpoint${kept === 1 ? '' : 's'} kept from earlier visits`],
      ...result.witnesses.map(
        ({ publicKey, result: is, size: seen, at }) =>
          [
            'witness',
            is === 'ok'
              ? `${publicKey} saw ${seen} of these events at ${at}`
              : `${publicKey}: ${is === 'bad' ? 'its signature is not valid' : 'has signed nothing of this'}`,
          ] as const,
      ),
      ['root', root],
    ])}`;
  }
  return `${colors.red(`The trail is bad at place ${fault.place}.`)}\n${session.facts([
    ['what', `${fault.reason}: ${fault.detail}`],
    ['sound until', `place ${fault.since}, as far as checkpoints vouch`],
    [
      'compared with',
      `${kept} kept in ${keptFile}; delete it if this network was set up anew on purpose`,
    ],
  ])}`;
}
