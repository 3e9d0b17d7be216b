import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CliError } from '../failure.js';

const Network = z.object({
  /** The wallet that logged in, and its public key. */
  keyFile: z.string(),
  wallet: z.string(),
  /** The host that login messages name, where it is not that of the address. */
  audience: z.string().optional(),
  token: z.string(),
  expiresAt: z.string(),
  accountId: z.string(),
});

const ProfileFile = z.object({
  /** The network that commands mean when they name none. */
  current: z.string().nullable(),
  networks: z.record(z.string(), Network),
});

export type KnownNetwork = z.infer<typeof Network>;
export type Profile = z.infer<typeof ProfileFile>;

const EMPTY: Profile = { current: null, networks: {} };

/** What the command remembers of earlier logins. A file that is not there is an empty one. @throws CliError when it is damaged */
export function readProfile(file: string): Profile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
    throw error;
  }
  try {
    return ProfileFile.parse(JSON.parse(text));
  } catch (cause) {
    const next = 'Delete the file and log in again: tidemill login';
    throw new CliError(`${file} is not a profile of this command.`, next, undefined, { cause });
  }
}

/** Remembers a login. The file holds tokens, so only its owner may read it; it is replaced whole, never half written. */
export function rememberNetwork(file: string, url: string, network: KnownNetwork): void {
  const { networks } = readProfile(file);
  const profile: Profile = { current: url, networks: { ...networks, [url]: network } };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(profile, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
