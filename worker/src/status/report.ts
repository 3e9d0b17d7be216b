import type { AgentSnapshot } from './snapshot.js';

/** What `/status` answers and `status.json` holds. */
export interface StatusReport extends AgentSnapshot {
  readonly pid: number;
  readonly orchestrator: string;
  /** How jobs are kept apart from this machine, for people. */
  readonly isolationDetail: string;
  readonly statusPort: number | null;
  readonly startedAt: string;
  readonly updatedAt: string;
}
