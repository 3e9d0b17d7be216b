import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { DecisionId } from '@tidemill/protocol';
import { KeptDecision, replayDecision, type DecisionReplay } from '../../verify/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';
import { jsonDocument } from './json-document.js';

export const replayCommand = (cli: Cli) =>
  new Command('replay')
    .description('decide again what the network decided, on what it decided it on')
    .addCommand(decisionCommand(cli));

const decisionCommand = (cli: Cli) =>
  new Command('decision')
    .description('place a task again and compare bit for bit (get shows the ids)')
    .argument('<decision>', 'its id, or a file that holds it with its inputs')
    .option('--out <file>', 'keep the decision and its inputs, to be replayed without the network')
    .action(cli.act(replay));

async function replay(
  session: Session,
  which: string,
  options: { readonly out?: string },
): Promise<ExitCode> {
  const kept = await decisionOf(session, which);
  if (options.out !== undefined) {
    const file = resolve(session.io.cwd, options.out);
    await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`, { flag: 'wx' });
    session.remark(`wrote ${file}`);
  }
  const result = replayDecision(kept);
  session.show(result, () => text(session, kept, result));
  return result.equal ? EXIT.succeeded : EXIT.failed;
}

async function decisionOf(session: Session, which: string): Promise<KeptDecision> {
  if (DecisionId.safeParse(which).success) {
    const { trail } = session.tidemill();
    const [decision, inputs] = [await trail.decision(which), await trail.decisionInputs(which)];
    const kept = KeptDecision.parse({ decision, inputs });
    if (kept.decision.id === which && isAbout(kept, which)) return kept;
    throw new CliError(
      `The network answered with another decision than ${which}.`,
      'Do not trust it.',
      EXIT.failed,
    );
  }
  const parsed = KeptDecision.safeParse(await jsonDocument(session, which));
  if (parsed.success) return parsed.data;
  throw new CliError(`${which} does not hold a decision.`, 'Make one with --out.');
}

/** A decision bears the number of the attempt it made. */
const isAbout = ({ decision }: KeptDecision, which: string): boolean =>
  (decision.record as { attempt?: unknown }).attempt === which.replace(/^dec_/, 'att_');

function text(session: Session, { decision }: KeptDecision, result: DecisionReplay): string {
  const { colors } = session.io;
  const about = [
    ['decision', decision.id],
    ['place in the trail', decision.place ?? 'not yet given'],
  ] as const;
  if (!result.equal) {
    return `${colors.red(`The replay decides otherwise: ${result.code}.`)}\n${session.facts([
      ...about,
      ['where', result.where],
      ['recorded', result.recorded],
      ['replayed', result.replayed],
    ])}`;
  }
  const { placement, workers, tasks } = result;
  const [chosen, ...others] = placement.candidates;
  return `${colors.green('The replay decides the same, bit for bit.')}\n${session.facts([
    ...about,
    ['worker', placement.workerId],
    ['score', chosen?.score ?? '-'],
    ['next best', others.map(({ workerId, score }) => `${workerId} ${score}`).join(', ') || '-'],
    ['decided among', `${workers} workers, with ${tasks} tasks placed in the same turn`],
  ])}`;
}
