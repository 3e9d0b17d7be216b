import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Ended } from '../process/guarded-spawn.js';
import { type RunningProcess, startProcess } from '../process/start-process.js';
import { appMain } from './apps.js';

/** What receipts and logins name. */
export const NETWORK_NAME = 'localnet';

export interface OrchestratorOptions {
  readonly dir: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly adminWallet: string;
  /** Settings beyond the usual ones; these win. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface OrchestratorHandle {
  readonly pid: number;
  readonly logFile: string;
  /** Sends a signal to the process; false when it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  stop(): Promise<Ended>;
}

/** Starts an orchestrator and waits until it takes requests. */
export async function startOrchestrator(options: OrchestratorOptions): Promise<OrchestratorHandle> {
  const { dir, port, databaseUrl, adminWallet } = options;
  await assertFree(port);
  const running: RunningProcess = await startProcess({
    name: 'the orchestrator',
    command: process.execPath,
    args: [appMain('@tidemill/orchestrator')],
    logFile: join(dir, 'logs', 'orchestrator.log'),
    readyWhen: { url: `http://127.0.0.1:${port}/readyz` },
    startDeadlineMs: 60_000,
    env: {
      ...process.env,
      TIDEMILL_DATABASE_URL: databaseUrl,
      TIDEMILL_HOST: '127.0.0.1',
      TIDEMILL_PORT: String(port),
      TIDEMILL_NETWORK: NETWORK_NAME,
      TIDEMILL_AUDIENCE: `127.0.0.1:${port}`,
      TIDEMILL_DATA_DIR: join(dir, 'artifacts'),
      TIDEMILL_KEY_FILE: join(dir, 'keys', 'orchestrator.json'),
      TIDEMILL_ADMIN_WALLETS: adminWallet,
      TIDEMILL_RELEASE: 'immediate',
      TIDEMILL_WEBHOOK_TARGETS: 'any',
      TIDEMILL_AUDIT_RATE: '0.10',
      ...options.env,
    },
  });
  return {
    pid: running.pid,
    logFile: running.logFile,
    kill: (signal) => running.signal(signal),
    stop: () => running.stop(),
  };
}

/** Another program that answers on the port would be taken for the orchestrator. */
async function assertFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Error(`port ${port} of 127.0.0.1 is taken: choose another port`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
