import { homedir } from 'node:os';
import { join } from 'node:path';
import { PublicKeyText } from '@tidemill/protocol';
import { z } from 'zod';
import { parseFaultPoint, type ArmedPoint } from '../platform/fault-points.js';

const port = z.coerce.number().int().min(0).max(65_535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

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
    TIDEMILL_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    TIDEMILL_DATABASE_POOL: z.coerce.number().int().min(2).max(100).default(12),
    TIDEMILL_FAULT_POINT: faultPoint.default(null),
    NODE_ENV: z.string().default(''),
  })
  .refine((env) => env.TIDEMILL_FAULT_POINT === null || env.NODE_ENV === 'test', {
    path: ['TIDEMILL_FAULT_POINT'],
    message: 'only tests, with NODE_ENV=test, end a process on purpose',
  });

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
  abstract readonly logLevel: string;
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
      logLevel: env.TIDEMILL_LOG_LEVEL,
      faultPoint: env.TIDEMILL_FAULT_POINT,
    }),
  };
}
