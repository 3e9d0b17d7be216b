import { join } from 'node:path';
import type { Ended } from '../process/guarded-spawn.js';
import { startProcess } from '../process/start-process.js';
import { appMain } from './apps.js';
import { NETWORK_NAME } from './orchestrator.js';
import type { Settlement } from './settlement.js';

/** Somebody is looking on. */
const EVERY_MS = 500;

export interface CosignerOptions {
  readonly dir: string;
  /** Which of the network's co-signers, from 0. */
  readonly place: number;
  readonly orchestratorUrl: string;
  readonly settlement: Settlement;
}

export interface CosignerHandle {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<Ended>;
}

/** Starts a co-signer with a key and a folder of its own. All on one machine: that shows the mechanism, not independence. */
export async function startCosigner(options: CosignerOptions): Promise<CosignerHandle> {
  const { dir, place, orchestratorUrl, settlement } = options;
  const name = `cosigner-${place + 1}`;
  const running = await startProcess({
    name,
    command: process.execPath,
    args: [appMain('@tidemill/orchestrator', 'tidemill-cosigner')],
    logFile: join(dir, 'logs', `${name}.log`),
    readyWhen: { line: /"msg":"watching"/ },
    startDeadlineMs: 60_000,
    env: {
      ...process.env,
      TIDEMILL_URL: orchestratorUrl,
      TIDEMILL_NETWORK: NETWORK_NAME,
      TIDEMILL_RPC_URL: settlement.rpcUrl,
      TIDEMILL_SETTLEMENT_NETWORK: settlement.network,
      TIDEMILL_SETTLEMENT_PROGRAM: settlement.program,
      TIDEMILL_COSIGNER_KEY_FILE: settlement.keyFiles.cosigners[place] ?? '',
      TIDEMILL_COSIGNER_DIR: join(dir, name),
      TIDEMILL_COSIGNER_EVERY_MS: String(EVERY_MS),
    },
  });
  return { name, pid: running.pid, logFile: running.logFile, stop: () => running.stop() };
}
