import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '@tidemill/localnet';
import { createKeyFile } from '@tidemill/protocol/node';
import type { Signer } from '@tidemill/protocol/node';
import { freshSigner } from '../../keys.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { pinned } from '../pinned.js';
import type { OrchestratorAddress } from '../workers/orchestrator-address.js';

const NETWORK = 'bench';

export interface OrchestratorOptions {
  readonly databaseUrl: string;
  /** Keeps it on one core, for comparisons with another server on that core. */
  readonly core?: number;
  /** Gets a V8 CPU profile of what lies between `startProfile` and `stopProfile`. */
  readonly profileDir?: string | undefined;
}

/** An orchestrator in a process of its own, as an operator would start it. */
export interface RunningOrchestrator {
  readonly address: OrchestratorAddress;
  readonly pid: number;
  /** A wallet that may do what operators do. */
  readonly admin: Signer;
  startProfile(): void;
  /** Settles once the profile is written. Does nothing when none was asked for. */
  stopProfile(): Promise<void>;
}

/** The built orchestrator, the same file that operators start. */
export const ORCHESTRATOR_MAIN = fileURLToPath(
  new URL('../../../../orchestrator/dist/main.js', import.meta.url),
);

/** Runs `work` beside a fresh orchestrator with a data folder and keys of its own, and stops it afterwards. */
export async function withOrchestrator<T>(
  { databaseUrl, core, profileDir }: OrchestratorOptions,
  work: (orchestrator: RunningOrchestrator) => Promise<T>,
): Promise<T> {
  const home = temporaryFolder();
  const port = await freePort();
  const admin = freshSigner();
  const keyFile = join(home.path, 'orchestrator.json');
  createKeyFile(keyFile);
  const profiler = new URL('./profiler.js', import.meta.url).href;
  const node = [
    process.execPath,
    ...(profileDir === undefined ? [] : ['--import', profiler]),
    ORCHESTRATOR_MAIN,
  ];
  const [command = '', ...args] = core === undefined ? node : pinned(core, node);
  try {
    const url = `http://127.0.0.1:${port}`;
    const orchestrator = await startProcess({
      name: 'the orchestrator',
      command,
      args,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        TIDEMILL_DATABASE_URL: databaseUrl,
        TIDEMILL_HOST: '127.0.0.1',
        TIDEMILL_PORT: String(port),
        TIDEMILL_NETWORK: NETWORK,
        TIDEMILL_AUDIENCE: `127.0.0.1:${port}`,
        TIDEMILL_DATA_DIR: join(home.path, 'data'),
        TIDEMILL_KEY_FILE: keyFile,
        TIDEMILL_ADMIN_WALLETS: admin.address,
        TIDEMILL_RELEASE: 'immediate',
        TIDEMILL_LOG_LEVEL: 'warn',
        // One account submits all of the load.
        TIDEMILL_REQUESTS_PER_SECOND: '1000000',
        ...(profileDir === undefined ? {} : { BENCH_PROFILE_DIR: profileDir }),
      },
      logFile: join(home.path, 'orchestrator.log'),
      readyWhen: { url: `${url}/readyz` },
      startDeadlineMs: 60_000,
    });
    const toggleProfile = () => profileDir !== undefined && orchestrator.signal('SIGUSR2');
    try {
      return await work({
        address: { url, audience: `127.0.0.1:${port}`, network: NETWORK },
        pid: orchestrator.pid,
        admin,
        startProfile: toggleProfile,
        stopProfile: async () => {
          if (profileDir === undefined) return;
          toggleProfile();
          await orchestrator.waitForLine(/profile written/, 30_000);
        },
      });
    } finally {
      await orchestrator.stop();
    }
  } finally {
    await home.remove();
  }
}
