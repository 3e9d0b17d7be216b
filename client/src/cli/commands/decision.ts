import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { printable } from '../output/printable.js';

export const decisionCommand = (cli: Cli) =>
  new Command('decision')
    .description('why a task went to its worker (get shows the ids)')
    .argument('<id>', 'the decision')
    .action(
      cli.act(async (session, id: string) => {
        const decision = await session.tidemill().trail.decision(id);
        session.show(decision, () => {
          const place =
            decision.place === null
              ? 'not yet given'
              : `${decision.place} (tidemill verify trail checks it)`;
          const facts = session.facts([
            ['decision', decision.id],
            ['at', decision.at],
            ['place in the trail', place],
          ]);
          const record = JSON.stringify(decision.record, null, 2)
            .split('\n')
            .map(printable)
            .join('\n');
          return `${facts}\n${record}\n`;
        });
      }),
    );
