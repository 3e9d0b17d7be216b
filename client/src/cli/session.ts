import { join } from 'node:path';
import { Tidemill } from '../sdk/tidemill.js';
import { configDir } from './config/config-dir.js';
import { readProfile, rememberNetwork } from './config/profile.js';
import { readWallet } from './config/wallet.js';
import { CliError } from './failure.js';
import type { Io } from './io.js';
import { type Cell, facts, table } from './output/table.js';

/** Options that every command takes. */
export interface GlobalFlags {
  readonly url?: string;
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

  get profileFile(): string {
    return join(this.configDir, 'profile.json');
  }

  /** The network that is meant: the flag, the environment, the last login, or this machine. */
  get url(): string {
    const { current } = readProfile(this.profileFile);
    const text = this.flags.url ?? (this.io.env['TIDEMILL_URL'] || (current ?? DEFAULT_URL));
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
      throw new CliError(`${text} is not an address.`, `Write it in full, such as ${DEFAULT_URL}.`);
    }
    return text.replace(/\/+$/, '');
  }

  /** The network, asked as whoever is known there: an API key, else the wallet of the last login, else nobody. */
  tidemill(): Tidemill {
    const { url, io } = this;
    const key = this.flags.apiKey ?? io.env['TIDEMILL_API_KEY'];
    if (key) return new Tidemill({ url, key, fetch: io.fetch, retry: RETRY });
    const known = readProfile(this.profileFile).networks[url];
    if (known === undefined) return new Tidemill({ url, fetch: io.fetch, retry: RETRY });
    return new Tidemill({
      url,
      fetch: io.fetch,
      retry: RETRY,
      ...(known.audience === undefined ? {} : { audience: known.audience }),
      signer: readWallet(known.keyFile),
      login: known,
      onLogin: (login) => rememberNetwork(this.profileFile, url, { ...known, ...login }),
    });
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
