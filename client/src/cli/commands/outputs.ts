import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { JobDetail, Output } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import { EXIT } from '../exit-code.js';
import { bytes } from '../output/quantities.js';

export const outputsCommand = (cli: Cli) =>
  new Command('outputs')
    .description('list what a job made, and fetch it')
    .argument('<id>', 'the job')
    .option('--download <folder>', 'write the files there, each checked against its digest')
    .action(
      cli.act(async (session, id: string, options: { download?: string }) => {
        const tidemill = session.tidemill();
        const outputs = await tidemill.jobs.outputs(id);
        const names = fileNames(outputs, (await tidemill.jobs.get(id)).taskList);
        const shown = outputs.map((output, i) => ({ ...output, file: names[i] ?? output.name }));
        if (options.download !== undefined) {
          const folder = resolve(session.io.cwd, options.download);
          for (const { digest, file } of shown)
            await tidemill.artifacts.download(digest, join(folder, file));
        }
        session.show({ items: shown }, () => {
          if (shown.length === 0) return 'No outputs yet.\n';
          const rows = shown.map((output) => [output.file, bytes(output.sizeBytes), output.digest]);
          return session.table(['file', 'size', 'digest'], rows);
        });
      }),
    );

/** A name of its own for each output: the task's index goes in front where tasks use the same name. */
function fileNames(outputs: readonly Output[], tasks: JobDetail['taskList']): string[] {
  const uses = new Map<string, number>();
  for (const { name } of outputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  return outputs.map(({ name, taskId }) => {
    // The name comes from a worker and becomes a path here.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
      throw new CliError(
        `An output is called ${JSON.stringify(name)}, which is no file name.`,
        'Report it; nothing was written.',
        EXIT.failed,
      );
    }
    if (uses.get(name) === 1) return name;
    return `${tasks.find(({ id }) => id === taskId)?.index ?? taskId}-${name}`;
  });
}
