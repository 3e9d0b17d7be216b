import { join } from 'node:path';
import { Tidemill } from '../sdk/tidemill.js';
import { configDir } from './config/config-dir.js';
import { type Profile, Profiles } from './config/profiles.js';
import { readWallet } from './config/wallet.js';
import { CliError } from './failure.js';
import type { Io } from './io.js';
import { type Cell, facts, table } from './output/table.js';

/** Options that every command takes. */
export interface GlobalFlags {
  readonly url?: string;
  readonly profile?: string;
  readonly apiKey?: string;
  readonly json?: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:7070';

/** A person waits: when nobody answers, that is said within a second. */
const RETRY = { retries: 2 };

/** One run of one command: who asks whom, and how answers are shown. */
export class Session {
  readonly json: boolean;
  readonly configDir: string;

  constructor(
    readonly io: Io,
    private readonly flags: GlobalFlags,
  ) {
    this.json = flags.json ?? false;
    this.configDir = configDir(io.env, io.home);
  }

  get profiles(): Profiles {
    return new Profiles(join(this.configDir, 'profiles.json'));
  }

  /** The profile that was asked for by name, which need not exist yet. */
  get profileName(): string | null {
    return this.flags.profile ?? (this.io.env['TIDEMILL_PROFILE'] || null);
  }

  /** The network that is meant: the flag, the named profile, the environment, the current profile, or this machine. */
  get url(): string {
    if (this.flags.url === undefined && this.profileName !== null)
      return this.profiles.named(this.profileName).url;
    return this.urlWithoutProfile;
  }

  /** The same when the named profile is yet to be made. */
  get urlWithoutProfile(): string {
    const { current, profiles } = this.profiles.all();
    const remembered = current === null ? undefined : profiles[current]?.url;
    return checkedUrl(
      this.flags.url ?? (this.io.env['TIDEMILL_URL'] || (remembered ?? DEFAULT_URL)),
    );
  }

  /** The API key of the flag or the environment, if one was given. */
  get givenApiKey(): string | undefined {
    return this.flags.apiKey ?? (this.io.env['TIDEMILL_API_KEY'] || undefined);
  }

  /** The network, asked as whoever is known there: an API key, else who logged in last, else nobody. */
  tidemill(): Tidemill {
    const { url, io } = this;
    const to = { url, fetch: io.fetch, retry: RETRY };
    // A profile that is named means its own key, whatever the shell has set for others.
    const key = this.profileName === null ? this.givenApiKey : this.flags.apiKey;
    if (key) return new Tidemill({ ...to, key });
    const known = this.known(url);
    if (known === null) return new Tidemill(to);
    const { name, profile } = known;
    const { as } = profile;
    if ('apiKey' in as) return new Tidemill({ ...to, key: as.apiKey });
    return new Tidemill({
      ...to,
      ...(as.audience === undefined ? {} : { audience: as.audience }),
      signer: readWallet(as.keyFile),
      login: as,
      onLogin: (login) => this.profiles.put(name, { url, as: { ...as, ...login } }),
    });
  }

  /** The key file that this person logged in with here; null for an API key, or when nobody did. */
  walletFile(): string | null {
    const as = this.known(this.url)?.profile.as;
    return as !== undefined && 'keyFile' in as ? as.keyFile : null;
  }

  /** Who asks at this address. A profile's token goes to its own address only. */
  private known(url: string): { name: string; profile: Profile } | null {
    const name = this.profileName ?? this.profiles.forUrl(url);
    if (name === null) return null;
    const profile = this.profiles.named(name);
    if (profile.url === url) return { name, profile };
    throw new CliError(
      `The profile ${name} is for ${profile.url}.`,
      `Leave --url out, or make one for ${url}: tidemill login --profile NAME --url ${url}`,
    );
  }

  /** A result: text for people, or one JSON document. */
  show(value: unknown, text: () => string): void {
    this.io.out(this.json ? `${JSON.stringify(value, null, 2)}\n` : text());
  }

  /** A remark beside the result; scripts do not see it. */
  remark(text: string): void {
    if (!this.json) this.io.err(`${text}\n`);
  }

  table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
    return table(heads, rows, this.io.colors.dim);
  }

  facts(pairs: readonly (readonly [string, Cell])[]): string {
    return facts(pairs, this.io.colors.dim);
  }
}

function checkedUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new CliError(`${text} is not an address.`, `Write it in full, such as ${DEFAULT_URL}.`);
  }
  return text.replace(/\/+$/, '');
}
