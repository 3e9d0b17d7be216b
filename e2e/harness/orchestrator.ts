import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appMain, freePort, type RunningProcess, startProcess } from '@tidemill/localnet';
import { testDatabase } from '@tidemill/localnet/testing';
import type { Signer } from '@tidemill/protocol/node';
import pg from 'pg';
import { freshSigner } from './signer.js';

export const NETWORK = 'e2e';
/** The level of pino's `error`. */
const ERROR = 50;

export interface OrchestratorOptions {
  /** Settings beyond the usual ones; these win. */
  readonly env?: Readonly<Record<string, string>>;
  /** A database to use instead of a fresh one on the server that the run shares. */
  readonly databaseUrl?: string;
}

/** Where a network is reached: an orchestrator's own port, or a door in front of several. */
export interface Door {
  readonly url: string;
  readonly audience: string;
  /** The wallet that may do what operators do. */
  readonly admin: Signer;
}

/** A real orchestrator in a process of its own, on a database, a folder and a port that nobody else has. */
export interface Orchestrator extends Door {
  /** Where its keys and files lie, and room for those of its workers. */
  readonly dir: string;
  /** The rows themselves, for what no door shows. */
  readonly rows: pg.Pool;
  readonly process: RunningProcess;
  /** Starts it anew on the same port, database and folder once its process has ended. */
  start(): Promise<void>;
  /** Stops it, removes what it left and gives the lines it logged as errors. */
  stop(): Promise<string[]>;
}

export interface LaunchOptions {
  readonly door: Pick<Door, 'audience' | 'admin'>;
  readonly port: number;
  readonly databaseUrl: string;
  /** Where keys and files lie; orchestrators on one database share it. */
  readonly dir: string;
  readonly logFile: string;
  /** The program, when it is not the one that is built. */
  readonly main?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Starts the process of an orchestrator and waits until it takes requests. */
export function launchOrchestrator(options: LaunchOptions): Promise<RunningProcess> {
  const { door, port, databaseUrl, dir, logFile, main, env } = options;
  return startProcess({
    name: 'the orchestrator',
    command: process.execPath,
    args: [main ?? appMain('@tidemill/orchestrator')],
    logFile,
    readyWhen: { url: `http://127.0.0.1:${port}/readyz` },
    startDeadlineMs: 60_000,
    env: {
      ...process.env,
      TIDEMILL_DATABASE_URL: databaseUrl,
      TIDEMILL_HOST: '127.0.0.1',
      TIDEMILL_PORT: String(port),
      TIDEMILL_NETWORK: NETWORK,
      TIDEMILL_AUDIENCE: door.audience,
      TIDEMILL_DATA_DIR: join(dir, 'artifacts'),
      TIDEMILL_KEY_FILE: join(dir, 'orchestrator.json'),
      TIDEMILL_ADMIN_WALLETS: door.admin.address,
      TIDEMILL_RELEASE: 'immediate',
      TIDEMILL_WEBHOOK_TARGETS: 'any',
      TIDEMILL_AUDIT_RATE: '0',
      TIDEMILL_LOG_LEVEL: 'info',
      // A whole network asks from one address here.
      TIDEMILL_REQUESTS_PER_SECOND: '10000',
      ...env,
    },
  });
}

/** Starts an orchestrator and waits until it takes requests. */
export async function startOrchestrator(options: OrchestratorOptions = {}): Promise<Orchestrator> {
  const own = options.databaseUrl === undefined ? await testDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? own?.url ?? '';
  const dir = await mkdtemp(join(tmpdir(), 'tidemill-e2e-'));
  const admin = freshSigner();
  const port = await freePort();
  const audience = `127.0.0.1:${port}`;
  const logFile = join(dir, 'orchestrator.log');
  const launch = () =>
    launchOrchestrator({ door: { audience, admin }, port, databaseUrl, dir, logFile, ...options });
  let running = await launch();
  const rows = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  rows.on('error', () => undefined); // Idle connections end when a test takes the database away.
  return {
    url: `http://${audience}`,
    audience,
    admin,
    dir,
    rows,
    get process() {
      return running;
    },
    start: async () => {
      await running.ended;
      running = await launch();
    },
    stop: async () => {
      await running.stop();
      const errors = await errorsIn(logFile);
      await rows.end();
      await own?.drop();
      await rm(dir, { recursive: true, force: true });
      return errors;
    },
  };
}

/** Enough to see what went wrong; a loop that fails logs thousands. */
const MAX_ERRORS = 5;

/** The first lines at the level `error` and above, and whatever was printed around the logger. */
async function errorsIn(logFile: string): Promise<string[]> {
  const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line !== '');
  return lines
    .filter((line) => {
      try {
        return (JSON.parse(line) as { level: number }).level >= ERROR;
      } catch {
        return true;
      }
    })
    .slice(0, MAX_ERRORS);
}
