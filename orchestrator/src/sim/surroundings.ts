import type { JobsService } from '../jobs/jobs.service.js';
import type { Channel } from '../platform/wakeups.js';
import type { Invariants } from './invariants.js';
import type { Process } from './kernel/process.js';
import type { Random } from './kernel/random.js';
import type { MemoryDatabase } from './memory/memory-database.js';
import type { MemoryWakeups } from './memory/memory-platform.js';
import type { Network } from './network.js';
import type { Scenario } from './scenario.js';
import type { Connection } from './socket.js';

/** An orchestrator as it runs: what the rest of the network can ask of it. */
export interface RunningOrchestrator {
  readonly jobs: JobsService;
  readonly wakeups: MemoryWakeups;
  connect(connection: Connection): void;
}

/** A place for an orchestrator, whether one runs there or not. */
export class OrchestratorSlot {
  running: RunningOrchestrator | null = null;
  connections: Connection[] = [];

  constructor(readonly process: Process) {}
}

/** What a process of the simulation has around it. */
export interface Surroundings {
  readonly scenario: Scenario;
  readonly database: MemoryDatabase;
  readonly network: Network;
  readonly invariants: Invariants;
  readonly orchestrators: readonly OrchestratorSlot[];
  readonly randomIds: Random;
  readonly randomWork: Random;
  /** Carries wake-ups to every orchestrator, or loses them. */
  wake(channels: readonly Channel[]): void;
  /** A log that only hears of what must not happen. */
  logOf(process: Process): object;
}
