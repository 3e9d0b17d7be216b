import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CliError } from '../failure.js';

const Profile = z.object({
  url: z.string(),
  /** Who asks there: a wallet that logs in, or an API key. */
  as: z.union([
    z.strictObject({ apiKey: z.string() }),
    z.strictObject({
      /** The wallet that logged in, and its public key. */
      keyFile: z.string(),
      wallet: z.string(),
      /** The host that login messages name, where it is not that of the address. */
      audience: z.string().optional(),
      token: z.string(),
      expiresAt: z.string(),
      accountId: z.string(),
    }),
  ]),
});

const ProfilesFile = z.strictObject({
  /** The profile that commands mean when they name none. */
  current: z.string().nullable(),
  profiles: z.record(z.string(), Profile),
});

/** A network and who one is there, under a name. */
export type Profile = z.infer<typeof Profile>;
type Known = z.infer<typeof ProfilesFile>;

/** Profiles are named on the command line and in the environment, so a name needs no quotes. */
const NAME = /^[\w.:-]{1,64}$/;

/** What the command remembers of earlier logins, in one file. */
export class Profiles {
  constructor(private readonly file: string) {}

  /** All that are known. A file that is not there is an empty one. @throws CliError when it is damaged */
  all(): Known {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return { current: null, profiles: {} };
      throw error;
    }
    try {
      return ProfilesFile.parse(JSON.parse(text));
    } catch (cause) {
      throw new CliError(
        `${this.file} does not hold profiles of this command.`,
        'Delete the file and log in again: tidemill login',
        undefined,
        { cause },
      );
    }
  }

  /** The profile of this name. @throws CliError when there is none */
  named(name: string): Profile {
    const { profiles } = this.all();
    const profile = profiles[name];
    if (profile !== undefined) return profile;
    const names = Object.keys(profiles).join(', ') || 'none yet';
    throw new CliError(
      `There is no profile ${JSON.stringify(name)}.`,
      `Known are: ${names}. Make one: tidemill login --profile ${NAME.test(name) ? name : 'NAME'} --url URL`,
    );
  }

  /** The name of a profile for this address: the current one if it fits, else the first that does. */
  forUrl(url: string): string | null {
    const { current, profiles } = this.all();
    if (current !== null && profiles[current]?.url === url) return current;
    return Object.keys(profiles).find((name) => profiles[name]?.url === url) ?? null;
  }

  /** Remembers a profile; the others stay. @throws CliError when the name is none */
  put(name: string, profile: Profile): void {
    if (!NAME.test(name)) {
      throw new CliError(
        `${JSON.stringify(name)} is not a name for a profile.`,
        'A name has up to 64 letters, digits, and . _ : -',
      );
    }
    const { current, profiles } = this.all();
    this.write({ current, profiles: { ...profiles, [name]: profile } });
  }

  /** Makes a profile the one that commands mean. @throws CliError when there is none of this name */
  use(name: string): Profile {
    const profile = this.named(name);
    this.write({ ...this.all(), current: name });
    return profile;
  }

  /** Forgets a profile and its token; a wallet's key file stays. @throws CliError when there is none of this name */
  remove(name: string): void {
    this.named(name);
    const { current, profiles } = this.all();
    const { [name]: _, ...left } = profiles;
    this.write({ current: current === name ? null : current, profiles: left });
  }

  /** The file holds tokens, so only its owner may read it; it is replaced whole, never half written. */
  private write(known: Known): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file);
  }
}
