import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import { bytes } from '../output/quantities.js';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export const cpCommand = (cli: Cli) =>
  new Command('cp')
    .description('store files as artifacts, or fetch an artifact')
    .argument('<source...>', 'files and folders to store, or one sha256: digest to fetch')
    .option('--to <file>', 'where a fetched artifact goes')
    .action(
      cli.act(async (session, sources: string[], options: { to?: string }) => {
        const { artifacts } = session.tidemill();
        const { cwd } = session.io;
        const [digest = ''] = sources;
        if (sources.length === 1 && DIGEST.test(digest)) {
          if (options.to === undefined) {
            throw new CliError('A fetched artifact needs a file.', 'Name one with --to FILE.');
          }
          const file = resolve(cwd, options.to);
          await artifacts.download(digest, file);
          session.show({ digest, file }, () => `${digest} is ${file}\n`);
          return;
        }
        if (options.to !== undefined) {
          const next = `Leave --to out to store files, or give one digest such as sha256:….`;
          throw new CliError('Only a digest is fetched to a file.', next);
        }
        const items: { file: string; digest: string; sizeBytes: number }[] = [];
        for (const file of sources.flatMap((source) => filesOf(resolve(cwd, source)))) {
          const stored = await artifacts.put({ path: file });
          items.push({ file: relative(cwd, file) || basename(file), ...stored });
        }
        session.show({ items }, () =>
          session.table(
            ['file', 'size', 'digest'],
            items.map((item) => [item.file, bytes(item.sizeBytes), item.digest]),
          ),
        );
      }),
    );

/** The file itself, or every file of a folder and the folders in it, in order of their names. */
function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new CliError(
      `There is no file ${path}.`,
      'Check its name; paths start from this folder.',
    );
  }
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
