import { homedir } from 'node:os';
import { join } from 'node:path';
import { MAX_MONEY, PublicKeyText } from '@tidemill/protocol';
import { z } from 'zod';
import { parseFaultPoint, type ArmedPoint } from '../platform/fault-points.js';
import { proxyOf, type Proxy } from '../platform/limits/peers.js';

const port = z.coerce.number().int().min(0).max(65_535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** At least one: what is kept for less could be gone before anybody has looked. At most a century. */
const days = z.coerce.number().int().min(1).max(36_500);
const DAY_MS = 24 * 3_600_000;

/** `10.0.0.7` or `10.0.0.0/8`. */
const proxy = z.string().transform((text, context): Proxy => {
  const read = proxyOf(text);
  if (read !== null) return read;
  context.addIssue(`${text} is neither an address nor a range of them`);
  return z.NEVER;
});
/** `https://console.example`, as browsers send it, or `*` for all. */
const origin = z
  .string()
  .refine(
    (text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text),
    'an origin is a scheme, a host and a port that is not the usual one, such as https://console.example',
  );

/** As many as the network's account on chain has room for. */
const MAX_COSIGNERS = 8;

/** Where this process ends itself, for tests of crashes. */
const faultPoint = z.string().transform((text, context) => {
  if (text === '') return null;
  const point = parseFaultPoint(text);
  if (point === null) context.addIssue(`there is no point ${text}`);
  return point;
});

const Environment = z
  .object({
    TIDEMILL_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    TIDEMILL_HOST: z.string().default('127.0.0.1'),
    TIDEMILL_PORT: port.default(7070),
    TIDEMILL_NETWORK: z.string().regex(/^[a-z0-9-]{1,32}$/),
    /** Host (and port) that clients and workers use; it stands in every signature. */
    TIDEMILL_AUDIENCE: z.string().min(1).max(128),
    TIDEMILL_DATA_DIR: z.string().default(join(homedir(), '.tidemill', 'orchestrator')),
    TIDEMILL_KEY_FILE: z.string(),
    TIDEMILL_ADMIN_WALLETS: list.pipe(z.array(PublicKeyText)).default([]),
    /** When earnings are released: at once, or after 24 h and 200 results. */
    TIDEMILL_RELEASE: z.enum(['immediate', 'standard']).default('standard'),
    TIDEMILL_AUDIT_RATE: z.coerce.number().min(0).max(1).default(0.1),
    TIDEMILL_FEE_BPS: z.coerce.number().int().min(0).max(10_000).default(500),
    /** Where webhooks may go: public addresses over https, or anywhere, for a network on one machine. */
    TIDEMILL_WEBHOOK_TARGETS: z.enum(['public', 'any']).default('public'),
    TIDEMILL_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** Reverse proxies whose word on where a request comes from is taken. */
    TIDEMILL_TRUSTED_PROXIES: list.pipe(z.array(proxy)).default([]),
    /** Origins whose pages may use the API from a browser. */
    TIDEMILL_CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
    TIDEMILL_REQUESTS_PER_SECOND: z.coerce.number().int().min(1).max(1_000_000).default(100),
    /** How long jobs that have ended are shown and proven, and their log lines. */
    TIDEMILL_KEEP_JOBS_DAYS: days.default(90),
    TIDEMILL_KEEP_LOGS_DAYS: days.default(30),
    TIDEMILL_DATABASE_POOL: z.coerce.number().int().min(2).max(100).default(12),
    /** The address of the network's account on chain. Without it there is no chain, and no epochs. */
    TIDEMILL_SETTLEMENT_NETWORK: PublicKeyText.optional(),
    TIDEMILL_SETTLEMENT_PROGRAM: PublicKeyText.optional(),
    TIDEMILL_COSIGNERS: list.pipe(z.array(PublicKeyText).max(MAX_COSIGNERS)).default([]),
    TIDEMILL_COSIGNER_THRESHOLD: z.coerce.number().int().min(1).max(MAX_COSIGNERS).default(2),
    TIDEMILL_RELEASER_KEY_FILE: z.string().optional(),
    /** An epoch lasts at least as long as the challenge window on chain. */
    TIDEMILL_EPOCH_MIN_MS: z.coerce.number().int().min(0).default(DAY_MS),
    /** In base units: what a worker must have earned before it gets a place on chain, which costs rent. */
    TIDEMILL_PAYOUT_FLOOR: z.coerce.bigint().min(1n).max(MAX_MONEY).default(1_000_000n),
    /** At least two nodes of the cluster, of different operators: none is believed alone. Without them nothing is sent to the chain. */
    TIDEMILL_CHAIN_RPC_URLS: list.pipe(z.array(z.url({ protocol: /^https?$/ }))).default([]),
    /** Of the cluster, in base58: a node of another one is not talked to. */
    TIDEMILL_CHAIN_GENESIS_HASH: PublicKeyText.optional(),
    /** Key files that only their owner can read: what posts roots, and what pays for claims. */
    TIDEMILL_AUTHORITY_KEY_FILE: z.string().optional(),
    TIDEMILL_RELAYER_KEY_FILE: z.string().optional(),
    /** The most that is offered for room in a block, in millionths of a lamport for each compute unit. */
    TIDEMILL_CHAIN_FEE_CEILING: z.coerce
      .number()
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(1_000_000),
    /** In base units: what a worker is paid on chain for, and when a token account is opened for it. The relayer bears fee and rent. */
    TIDEMILL_CLAIM_FLOOR: z.coerce.bigint().min(1n).max(MAX_MONEY).default(100_000n),
    TIDEMILL_ACCOUNT_FLOOR: z.coerce.bigint().min(1n).max(MAX_MONEY).default(1_000_000n),
    TIDEMILL_FAULT_POINT: faultPoint.default(null),
    NODE_ENV: z.string().default(''),
  })
  .refine((env) => env.TIDEMILL_FAULT_POINT === null || env.NODE_ENV === 'test', {
    path: ['TIDEMILL_FAULT_POINT'],
    message: 'only tests, with NODE_ENV=test, end a process on purpose',
  })
  .refine(
    (env) =>
      (env.TIDEMILL_SETTLEMENT_NETWORK === undefined) ===
      (env.TIDEMILL_SETTLEMENT_PROGRAM === undefined),
    {
      path: ['TIDEMILL_SETTLEMENT_PROGRAM'],
      message: 'the network’s account and its program come together',
    },
  )
  .refine(
    (env) =>
      env.TIDEMILL_SETTLEMENT_NETWORK === undefined ||
      new Set(env.TIDEMILL_COSIGNERS).size >= env.TIDEMILL_COSIGNER_THRESHOLD,
    {
      path: ['TIDEMILL_COSIGNERS'],
      message: 'as many different keys as TIDEMILL_COSIGNER_THRESHOLD asks for, or more',
    },
  )
  .refine(
    (env) =>
      env.TIDEMILL_CHAIN_RPC_URLS.length === 0 || new Set(env.TIDEMILL_CHAIN_RPC_URLS).size >= 2,
    {
      path: ['TIDEMILL_CHAIN_RPC_URLS'],
      message: 'two different nodes or more: one alone could lie',
    },
  )
  .refine(
    (env) => {
      const all = [
        env.TIDEMILL_SETTLEMENT_NETWORK,
        env.TIDEMILL_CHAIN_GENESIS_HASH,
        env.TIDEMILL_AUTHORITY_KEY_FILE,
        env.TIDEMILL_RELAYER_KEY_FILE,
      ];
      return env.TIDEMILL_CHAIN_RPC_URLS.length === 0 || all.every((one) => one !== undefined);
    },
    {
      path: ['TIDEMILL_CHAIN_RPC_URLS'],
      message:
        'they come with TIDEMILL_SETTLEMENT_NETWORK, TIDEMILL_CHAIN_GENESIS_HASH, TIDEMILL_AUTHORITY_KEY_FILE and TIDEMILL_RELAYER_KEY_FILE',
    },
  );

/** What talks to the chain. */
export interface ChainConfig {
  readonly rpcUrls: readonly string[];
  readonly genesisHash: string;
  readonly authorityKeyFile: string;
  readonly relayerKeyFile: string;
  readonly feeCeiling: number;
  readonly claimFloor: bigint;
  readonly accountFloor: bigint;
}

/** Payment on chain, as far as the rows know of it. */
export interface SettlementConfig {
  /** Addresses in base58. */
  readonly network: string;
  readonly program: string;
  readonly cosigners: readonly string[];
  readonly threshold: number;
  /** Signs what has been released; made if it is not there. */
  readonly releaserKeyFile: string;
  readonly epochMinMs: number;
  readonly payoutFloor: bigint;
}

/** Everything an operator sets, checked once at the start and then frozen. */
export abstract class Config {
  abstract readonly databaseUrl: string;
  abstract readonly databasePool: number;
  abstract readonly host: string;
  abstract readonly port: number;
  abstract readonly network: string;
  abstract readonly audience: string;
  abstract readonly dataDir: string;
  abstract readonly keyFile: string;
  abstract readonly adminWallets: readonly string[];
  abstract readonly release: 'immediate' | 'standard';
  /** Share of results that `standard` executes again, in parts per million. */
  abstract readonly auditRatePpm: number;
  abstract readonly feeBps: number;
  /** `any` lets submitters reach addresses inside the operator's network. */
  abstract readonly webhookTargets: 'public' | 'any';
  abstract readonly logLevel: string;
  abstract readonly trustedProxies: readonly Proxy[];
  /** Empty: no page may; `*`: every page may. */
  abstract readonly corsOrigins: readonly string[];
  /** What an account or worker may ask of the HTTP API. */
  abstract readonly requestsPerSecond: number;
  /** How long everything about a job is kept once it has ended. */
  abstract readonly keepJobsMs: number;
  /** How long its log lines are, no longer than itself. */
  abstract readonly keepLogsMs: number;
  /** Null on a network without a chain, which pays nothing for what is only needed with one. */
  abstract readonly settlement: SettlementConfig | null;
  /** Null where nothing is sent to a chain. */
  abstract readonly chain: ChainConfig | null;
  /** Null but in tests of crashes. */
  abstract readonly faultPoint: ArmedPoint | null;
}

/** Reads the environment, or says every fault of it at once. */
export function readConfig(
  environment: NodeJS.ProcessEnv = process.env,
): { ok: true; config: Config } | { ok: false; faults: string[] } {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    return {
      ok: false,
      faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    };
  }
  const env = parsed.data;
  return {
    ok: true,
    config: Object.freeze({
      databaseUrl: env.TIDEMILL_DATABASE_URL,
      databasePool: env.TIDEMILL_DATABASE_POOL,
      host: env.TIDEMILL_HOST,
      port: env.TIDEMILL_PORT,
      network: env.TIDEMILL_NETWORK,
      audience: env.TIDEMILL_AUDIENCE,
      dataDir: env.TIDEMILL_DATA_DIR,
      keyFile: env.TIDEMILL_KEY_FILE,
      adminWallets: env.TIDEMILL_ADMIN_WALLETS,
      release: env.TIDEMILL_RELEASE,
      auditRatePpm: Math.round(env.TIDEMILL_AUDIT_RATE * 1_000_000),
      feeBps: env.TIDEMILL_FEE_BPS,
      webhookTargets: env.TIDEMILL_WEBHOOK_TARGETS,
      logLevel: env.TIDEMILL_LOG_LEVEL,
      trustedProxies: env.TIDEMILL_TRUSTED_PROXIES,
      corsOrigins: env.TIDEMILL_CORS_ORIGINS,
      requestsPerSecond: env.TIDEMILL_REQUESTS_PER_SECOND,
      keepJobsMs: env.TIDEMILL_KEEP_JOBS_DAYS * DAY_MS,
      keepLogsMs: Math.min(env.TIDEMILL_KEEP_LOGS_DAYS, env.TIDEMILL_KEEP_JOBS_DAYS) * DAY_MS,
      settlement: settlementOf(env),
      chain: chainOf(env),
      faultPoint: env.TIDEMILL_FAULT_POINT,
    }),
  };
}

function settlementOf(env: z.output<typeof Environment>): SettlementConfig | null {
  const { TIDEMILL_SETTLEMENT_NETWORK: network, TIDEMILL_SETTLEMENT_PROGRAM: program } = env;
  if (network === undefined || program === undefined) return null;
  return Object.freeze({
    network,
    program,
    cosigners: env.TIDEMILL_COSIGNERS,
    threshold: env.TIDEMILL_COSIGNER_THRESHOLD,
    releaserKeyFile: env.TIDEMILL_RELEASER_KEY_FILE ?? join(env.TIDEMILL_DATA_DIR, 'releaser.json'),
    epochMinMs: env.TIDEMILL_EPOCH_MIN_MS,
    payoutFloor: env.TIDEMILL_PAYOUT_FLOOR,
  });
}

function chainOf(env: z.output<typeof Environment>): ChainConfig | null {
  const {
    TIDEMILL_CHAIN_RPC_URLS: rpcUrls,
    TIDEMILL_CHAIN_GENESIS_HASH: genesisHash,
    TIDEMILL_AUTHORITY_KEY_FILE: authorityKeyFile,
    TIDEMILL_RELAYER_KEY_FILE: relayerKeyFile,
  } = env;
  if (rpcUrls.length === 0 || genesisHash === undefined) return null;
  if (authorityKeyFile === undefined || relayerKeyFile === undefined) return null;
  return Object.freeze({
    rpcUrls,
    genesisHash,
    authorityKeyFile,
    relayerKeyFile,
    feeCeiling: env.TIDEMILL_CHAIN_FEE_CEILING,
    claimFloor: env.TIDEMILL_CLAIM_FLOOR,
    accountFloor: env.TIDEMILL_ACCOUNT_FLOOR,
  });
}
