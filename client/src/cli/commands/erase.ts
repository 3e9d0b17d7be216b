import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';

export const eraseCommand = (cli: Cli) =>
  new Command('erase')
    .description('erase a job that has ended: spec, logs, outputs and events, for good')
    .argument('<id>', 'the job')
    .option('--yes', 'needed: it cannot be undone')
    .action(
      cli.act(async (session, id: string, options: { readonly yes?: boolean }) => {
        if (options.yes !== true) {
          session.remark(`Nothing was erased. It cannot be undone: tidemill erase ${id} --yes`);
          return EXIT.usage;
        }
        await session.tidemill().jobs.erase(id);
        session.show(
          { erased: id },
          () => `${id} is erased; the trail keeps its id and digests.\n`,
        );
        return undefined;
      }),
    );
