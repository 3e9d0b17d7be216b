import { Command } from 'commander';
import type { Plan } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import { prepareSpecs } from '../job-file/prepare.js';
import { tokens } from '../output/quantities.js';
import type { Cell } from '../output/table.js';
import type { Session } from '../session.js';

export const planCommand = (cli: Cli) =>
  new Command('plan')
    .description(
      'what a job would cost, when it would start and which workers could run it; submits nothing',
    )
    .argument('<file>', 'a job file in YAML or JSON, or - for standard input')
    .action(
      cli.act(async (session, file: string) => {
        const tidemill = session.tidemill();
        const specs = await prepareSpecs(file, tidemill, session);
        const [spec] = specs;
        if (spec === undefined || specs.length > 1) {
          throw new CliError(
            `${file} holds ${specs.length} jobs; plan takes one.`,
            'Put it into a file of its own.',
          );
        }
        const plan = await tidemill.jobs.plan(spec);
        session.show(plan, () => planText(session, plan));
      }),
    );

function planText(session: Session, plan: Plan): string {
  const { estimate, reason } = plan.expectedStart;
  const missing = plan.balance.missing === '0' ? '' : `, ${tokens(plan.balance.missing)} missing`;
  const pairs: [string, Cell][] = [
    ['workers', `${plan.feasibleWorkers} of ${plan.consideredWorkers} could run it`],
    ['tasks', plan.tasks],
    [
      'price',
      plan.price === null ? '-' : `${tokens(plan.price.low)} to ${tokens(plan.price.high)}`,
    ],
    ['hold', tokens(plan.hold)],
    ['balance', `${tokens(plan.balance.available)} available${missing}`],
    [
      'expected start',
      estimate === null
        ? `not known: ${reason ?? 'no reason given'}`
        : `${estimate.p50}, at the latest likely ${estimate.p90} (${estimate.basis})`,
    ],
  ];
  const removed = plan.removedBy.map((one) => [one.constraint, one.removed, one.relax ?? '']);
  const why =
    removed.length === 0
      ? ''
      : `\n${session.table(['constraint', 'removes', 'to relax it'], removed)}`;
  return session.facts(pairs) + why;
}
