import { homedir, hostname } from 'node:os';
import { resolve, join } from 'node:path';
import {
  decodeBase58,
  isSoundPublicKey,
  MAX_HELD_ATTEMPTS,
  parseAmount,
  type Amount,
} from '@tidemill/protocol';
import { FLAGS, variableOf, type Flag, type FlagName } from './flags.js';
import { LOG_LEVELS, type Settings } from './settings.js';

export type Configuration =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'help' }
  /** Every fault at once, each naming its flag. */
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of this process. The only reader of its arguments and its environment. */
export const readConfiguration = (): Configuration => configure(process.argv.slice(2), process.env);

/** Settings from flags and environment; a flag wins. An empty value counts as absent. */
export function configure(argv: readonly string[], environment: Environment): Configuration {
  const faults: string[] = [];
  const given = flagsOf(argv, faults);
  if (given === 'help') return { kind: 'help' };

  const texts = new Texts((name) => {
    const text = given.get(name) ?? environment[variableOf(name)] ?? '';
    return text === '' ? ((FLAGS[name] as Flag).fallback ?? null) : text;
  }, faults);
  const settings = settingsOf(texts);
  return faults.length > 0 ? { kind: 'faults', faults } : { kind: 'settings', settings };
}

/** `--name value` and `--name=value`. */
function flagsOf(
  argv: readonly string[],
  faults: string[],
): ReadonlyMap<FlagName, string> | 'help' {
  const given = new Map<FlagName, string>();
  for (let i = 0; i < argv.length; i += 1) {
    const argument = argv[i] ?? '';
    if (argument === '--help' || argument === '-h') return 'help';
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(argument);
    const name = match?.[1] ?? '';
    if (!isFlagName(name)) {
      faults.push(`${argument}: unknown argument`);
      continue;
    }
    let value = match?.[2];
    if (value === undefined) {
      i += 1;
      value = argv[i];
    }
    if (value === undefined) faults.push(`--${name}: a value is missing`);
    else given.set(name, value);
  }
  return given;
}

const isFlagName = (name: string): name is FlagName => Object.hasOwn(FLAGS, name);

/** Reads texts as values; a fault is noted and a stand-in returned, so that one look finds all of them. */
class Texts {
  constructor(
    private readonly read: (name: FlagName) => string | null,
    private readonly faults: string[],
  ) {}

  text(name: FlagName): string | null {
    return this.read(name);
  }

  matching(name: FlagName, pattern: RegExp, wanted: string): string | null {
    const text = this.read(name);
    if (text === null || pattern.test(text)) return text;
    return this.fault(name, wanted, null);
  }

  whole(name: FlagName, min: number, max: number): number | null {
    const text = this.read(name);
    if (text === null) return null;
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    return this.fault(name, `a whole number from ${min} to ${max}`, null);
  }

  amount(name: FlagName): Amount {
    return (
      parseAmount(this.read(name) ?? '') ??
      this.fault(name, 'tokens such as 0.50, at most 6 decimals', 0n as Amount)
    );
  }

  fault<T>(name: FlagName, wanted: string, standIn: T): T {
    this.faults.push(`--${name} (${variableOf(name)}): ${wanted}`);
    return standIn;
  }
}

function settingsOf(texts: Texts): Settings {
  const stateDir = resolve(texts.text('state-dir') ?? join(homedir(), '.tidemill', 'worker'));
  const statusPort = texts.whole('status-port', 0, 65_535) ?? 0;
  return {
    orchestrator: orchestratorOf(texts),
    network: texts.matching('network', /^[\x21-\x7e]{1,64}$/, 'one word of at most 64 characters'),
    keyFile: resolve(texts.text('key') ?? join(stateDir, 'key.json')),
    stateDir,
    name: nameOf(texts),
    cpuMilli: texts.whole('cpu-millis', 1, 4_096_000),
    memoryMib: texts.whole('memory-mib', 1, 64 * 1024 * 1024),
    diskMib: texts.whole('disk-mib', 1, 64 * 1024 * 1024),
    gpus: texts.whole('gpus', 0, 64),
    slots: texts.whole('slots', 1, MAX_HELD_ATTEMPTS),
    cacheMib: texts.whole('cache-mib', 1, 64 * 1024 * 1024) ?? 0,
    askGpuHour: texts.amount('ask-gpu-hour'),
    askCpuHour: texts.amount('ask-cpu-hour'),
    region:
      texts.matching(
        'region',
        /^[a-z0-9-]{1,32}$/,
        'at most 32 lower-case letters, digits and dashes',
      ) ?? '',
    statusPort: statusPort === 0 ? null : statusPort,
    payout: payoutOf(texts),
    drainGraceMs: (texts.whole('drain-grace', 0, 86_400) ?? 0) * 1_000,
    logLevel: levelOf(texts),
  };
}

function orchestratorOf(texts: Texts): URL {
  const wanted = 'an address such as https://tidemill.example or http://127.0.0.1:7070';
  const standIn = new URL('http://unset.invalid');
  const text = texts.text('orchestrator');
  if (text === null || !URL.canParse(text)) return texts.fault('orchestrator', wanted, standIn);
  const url = new URL(text);
  const isPlain =
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if (!/^https?:$/.test(url.protocol) || !isPlain)
    return texts.fault('orchestrator', wanted, standIn);
  return url;
}

const NAME = /^[\p{L}\p{N} ._-]{1,63}$/u;

function nameOf(texts: Texts): string {
  const text = texts.matching(
    'name',
    NAME,
    'at most 63 letters, digits, spaces, dots, dashes or underscores',
  );
  if (text !== null) return text;
  // A host name may hold what a worker's name may not.
  return (
    hostname()
      .replace(/[^\p{L}\p{N} ._-]/gu, '-')
      .slice(0, 63) || 'worker'
  );
}

function payoutOf(texts: Texts): string | null {
  const text = texts.text('payout');
  if (text === null) return null;
  const key = decodeBase58(text);
  if (key !== null && isSoundPublicKey(key)) return text;
  return texts.fault('payout', 'a Solana address in base58', null);
}

function levelOf(texts: Texts): Settings['logLevel'] {
  const text = texts.text('log-level');
  return (
    LOG_LEVELS.find((level) => level === text) ??
    texts.fault('log-level', `one of ${LOG_LEVELS.join(', ')}`, 'info')
  );
}
