import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';
import { MIN_PASSPHRASE } from './key-backup.js';

export const PASSPHRASE = [
  '--passphrase-file <file>',
  'a file whose first line is the passphrase (default: TIDEMILL_PASSPHRASE, else it is asked for)',
] as const;

/** The passphrase of a backup. Never an argument: every user of the machine sees those. @throws CliError when it is too short */
export async function passphraseOf(
  session: Session,
  options: { readonly passphraseFile?: string; readonly twice?: boolean },
): Promise<string> {
  const { io } = session;
  const text =
    options.passphraseFile !== undefined
      ? readFileSync(resolve(io.cwd, options.passphraseFile), 'utf8')
      : (io.env['TIDEMILL_PASSPHRASE'] ?? (await io.readSecret('Passphrase: ', options)));
  const [line = ''] = text.split(/\r?\n/);
  if (line.length >= MIN_PASSPHRASE) return line;
  throw new CliError(
    `A passphrase has at least ${MIN_PASSPHRASE} characters.`,
    'Give one by --passphrase-file, TIDEMILL_PASSPHRASE or standard input.',
  );
}
