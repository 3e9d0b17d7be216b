export {
  createDatabase,
  type CreateDatabaseOptions,
  dropDatabase,
} from './database/create-database.js';
export { DatabaseInUseError, DatabaseStartError } from './database/errors.js';
export {
  type Database,
  startDatabase,
  type StartDatabaseOptions,
} from './database/start-database.js';
export { freePort } from './free-port.js';
export { type Network, type NetworkOptions, startNetwork } from './network.js';
export { AppMissingError, appMain } from './network/apps.js';
export { type ChainHandle, type ChainProcessOptions, startChainProcess } from './network/chain.js';
export type { OrchestratorHandle } from './network/orchestrator.js';
export type { WorkerHandle } from './network/worker.js';
export type { Ended } from './process/guarded-spawn.js';
export {
  ProcessError,
  type ReadyWhen,
  type RunningProcess,
  startProcess,
  type StartProcessOptions,
} from './process/start-process.js';
