/** One setting: `--name VALUE` or its variable in the environment. */
export interface Flag {
  readonly value: string;
  readonly help: string;
  readonly fallback?: string;
}

/** Every setting of the agent, in the order of the help text. */
export const FLAGS = {
  orchestrator: {
    value: 'URL',
    help: 'the orchestrator, such as https://tidemill.example (required)',
  },
  network: { value: 'NAME', help: 'refuse to log in to any network but this one' },
  key: {
    value: 'FILE',
    help: 'the worker key; made when absent (default: key.json in the state folder)',
  },
  'state-dir': { value: 'DIR', help: 'cache, outbox and status (default: ~/.tidemill/worker)' },
  name: { value: 'NAME', help: 'the name others see (default: the host name)' },
  'cpu-millis': { value: 'N', help: 'thousandths of CPU cores to lend (default: all)' },
  'memory-mib': { value: 'N', help: 'MiB of memory to lend (default: 80 %)' },
  'disk-mib': { value: 'N', help: 'MiB of disk to lend (default: half of what is free)' },
  gpus: { value: 'N', help: 'cards to lend (default: all, once a runtime here can use them)' },
  slots: { value: 'N', help: 'attempts side by side, 1 to 256 (default: one for each core lent)' },
  'cache-mib': { value: 'N', help: 'MiB of inputs kept for later attempts', fallback: '4096' },
  'ask-gpu-hour': { value: 'TOKENS', help: 'price of a GPU for an hour', fallback: '0.50' },
  'ask-cpu-hour': { value: 'TOKENS', help: 'price of a CPU core for an hour', fallback: '0.01' },
  region: { value: 'NAME', help: 'where the machine stands, such as eu-west', fallback: 'unknown' },
  'status-port': {
    value: 'PORT',
    help: 'local status and metrics on 127.0.0.1; 0 for none',
    fallback: '0',
  },
  payout: { value: 'ADDRESS', help: 'where earnings go (default: the worker key itself)' },
  'drain-grace': {
    value: 'SECONDS',
    help: 'how long running attempts may take to finish after SIGTERM',
    fallback: '60',
  },
  'log-level': { value: 'LEVEL', help: 'debug, info, warn, error or silent', fallback: 'info' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;

/** `state-dir` → `TIDEMILL_WORKER_STATE_DIR`. */
export const variableOf = (name: FlagName): string =>
  `TIDEMILL_WORKER_${name.replaceAll('-', '_').toUpperCase()}`;

/** What `--help` prints. */
export function helpText(): string {
  const lines = Object.entries<Flag>(FLAGS).map(([name, { value, help, fallback }]) => {
    const left = `  --${name} ${value}`.padEnd(28);
    return `${left}${help}${fallback === undefined ? '' : ` (default: ${fallback})`}`;
  });
  return [
    'tidemill-worker: lends this machine to a Tidemill network.',
    '',
    ...lines,
    '',
    `Each may also be set in the environment, as in ${variableOf('state-dir')}; a flag wins.`,
    'The orchestrator is reached through the proxy that HTTPS_PROXY or HTTP_PROXY names, unless NO_PROXY names the orchestrator.',
    '',
  ].join('\n');
}
