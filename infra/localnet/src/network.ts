import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFile, loadSigner } from '@tidemill/protocol/node';
import { type Database, startDatabase } from './database/start-database.js';
import { freePort } from './free-port.js';
import type { ChainHandle } from './network/chain.js';
import { type CosignerHandle, startCosigner } from './network/cosigner.js';
import { type OrchestratorHandle, startOrchestrator } from './network/orchestrator.js';
import type { Settlement } from './network/settlement.js';
import { startWorker, type WorkerHandle } from './network/worker.js';

export interface NetworkOptions {
  /** Where keys, artifacts, logs and the workers' folders lie; the database too, unless `databaseUrl` names one. */
  readonly dir: string;
  /** How many workers to start: `worker-1`, `worker-2` and so on. */
  readonly workers: number;
  /** The orchestrator's port on 127.0.0.1. Default: a free one. */
  readonly port?: number | undefined;
  /** A database to use instead of starting one. */
  readonly databaseUrl?: string | undefined;
  /** Whether it is paid on chain: an embedded one, with the network's account on it and its co-signers. Default: no. */
  readonly onChain?: boolean | undefined;
  /** Settings of the orchestrator beyond the usual ones. */
  readonly orchestratorEnv?: Readonly<Record<string, string>> | undefined;
  /** Flags of every worker beyond the usual ones, by name and without dashes. */
  readonly workerFlags?: Readonly<Record<string, string>> | undefined;
  /** Takes one plain sentence for each step. */
  readonly log?: ((message: string) => void) | undefined;
}

/** A whole network on this machine. It ends with this process, however that ends. */
export interface Network {
  readonly url: string;
  readonly dir: string;
  readonly databaseUrl: string;
  /** The key of the operator's wallet: who signs in with it may give credit. */
  readonly adminKeyFile: string;
  readonly adminWallet: string;
  readonly orchestrator: OrchestratorHandle;
  /** Its account on the embedded chain; null when it is not paid on chain. */
  readonly settlement: Settlement | null;
  /** In the order they were started. */
  readonly workers: readonly WorkerHandle[];
  /** Starts one more worker; flags as in `workerFlags`. */
  addWorker(flags?: Readonly<Record<string, string>>): Promise<WorkerHandle>;
  /** Starts the orchestrator anew, on the same port and database, once its process has ended; stops it first if need be. */
  restartOrchestrator(): Promise<void>;
  /** Stops everything. A second call waits for the first. */
  stop(): Promise<void>;
}

/** Starts a database, an orchestrator and workers, and waits until they work together. Leaves nothing running when it fails. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const log = options.log ?? (() => {});
  const { dir } = options;
  mkdirSync(join(dir, 'keys'), { recursive: true });
  const adminKeyFile = join(dir, 'keys', 'admin.json');
  const admin = existsSync(adminKeyFile) ? loadSigner(adminKeyFile) : createKeyFile(adminKeyFile);
  const running = new Running();
  try {
    const databaseUrl =
      options.databaseUrl ??
      running.keepDatabase(await startDatabase({ dir: join(dir, 'database'), log })).url;
    let settlement: Settlement | null = null;
    let chainEnv: Readonly<Record<string, string>> = {};
    if (options.onChain === true) {
      log('starting the chain, and opening the account of the network on it');
      // Loaded here alone: nobody else needs to wait for the chain's code.
      const { startOnChain } = await import('./network/on-chain.js');
      const started = await startOnChain(dir);
      running.chain = started.chain;
      ({ settlement, orchestratorEnv: chainEnv } = started);
    }
    const port = options.port ?? (await freePort());
    const url = `http://127.0.0.1:${port}`;
    const start = () =>
      startOrchestrator({
        dir,
        port,
        databaseUrl,
        adminWallet: admin.address,
        env: { ...chainEnv, ...options.orchestratorEnv },
      });
    log('starting the orchestrator');
    running.orchestrator = await start();
    log(`the orchestrator answers at ${url}`);

    if (settlement !== null) {
      log('starting three co-signers');
      const places = settlement.cosigners.keys();
      const given = { dir, orchestratorUrl: url, settlement };
      await keepAll(
        [...places].map((place) => startCosigner({ ...given, place })),
        (cosigner) => running.cosigners.push(cosigner),
      );
    }

    let named = 0;
    const addWorker = async (flags?: Readonly<Record<string, string>>) => {
      named += 1;
      const name = `worker-${named}`;
      const worker = await startWorker({
        dir,
        name,
        orchestratorUrl: url,
        flags: { ...options.workerFlags, ...flags },
      });
      running.workers.push(worker);
      log(`${name} is online`);
      return worker;
    };
    await keepAll(
      Array.from({ length: options.workers }, () => addWorker()),
      () => undefined, // they are kept as they start
    );
    running.workers.sort((a, b) => (a.name < b.name ? -1 : 1));

    return {
      url,
      dir,
      databaseUrl,
      adminKeyFile,
      adminWallet: admin.address,
      get orchestrator() {
        return running.theOrchestrator;
      },
      settlement,
      workers: running.workers,
      addWorker,
      restartOrchestrator: async () => {
        await running.theOrchestrator.stop();
        running.orchestrator = await start();
      },
      stop: () => running.stop(),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Waits for all to start, and keeps those that did even when one did not: they have to be stopped. */
async function keepAll<Handle>(
  starting: readonly Promise<Handle>[],
  keep: (handle: Handle) => unknown,
): Promise<void> {
  const started = await Promise.allSettled(starting);
  for (const one of started) if (one.status === 'fulfilled') keep(one.value);
  for (const one of started) if (one.status === 'rejected') throw one.reason;
}

/** What runs so far, and how it ends: workers first, so that they can say goodbye, and the database last. */
class Running {
  orchestrator: OrchestratorHandle | undefined;
  readonly workers: WorkerHandle[] = [];
  chain: ChainHandle | undefined;
  readonly cosigners: CosignerHandle[] = [];
  private database: Database | undefined;
  private stopping: Promise<void> | undefined;

  keepDatabase(database: Database): Database {
    this.database = database;
    return database;
  }

  get theOrchestrator(): OrchestratorHandle {
    if (this.orchestrator === undefined) throw new Error('the orchestrator has not been started');
    return this.orchestrator;
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    await Promise.all([...this.workers, ...this.cosigners].map((one) => one.stop()));
    await this.orchestrator?.stop();
    await this.chain?.stop();
    await this.database?.stop();
  }
}
