import type {
  AttemptId,
  IsolationLevel,
  JobId,
  Resources,
  SessionId,
  TaskId,
  WorkerId,
} from '@tidemill/protocol';

/** What the agent has done since it started. */
export interface Totals {
  accepted: number;
  refused: number;
  succeeded: number;
  failed: number;
  /** Ended early by the orchestrator: cancelled, preempted, or no longer ours. */
  cancelled: number;
  /** Ended by the agent itself after silence, or because it had to stop. */
  stopped: number;
  billableMs: number;
  receiptsAcknowledged: number;
  sessions: number;
}

export type AttemptPhase = 'fetching' | 'running' | 'uploading' | 'ended' | 'stopping';

export interface AttemptView {
  readonly attemptId: AttemptId;
  readonly jobId: JobId;
  readonly taskId: TaskId;
  readonly phase: AttemptPhase;
  readonly elapsedMs: number;
  readonly progress: { readonly step: number; readonly totalSteps: number } | null;
}

type AgentState = 'connecting' | 'online' | 'draining' | 'stopped';

/** The agent at one moment, for people and for metrics. */
export interface AgentSnapshot {
  readonly state: AgentState;
  readonly isConnected: boolean;
  readonly workerId: WorkerId | null;
  readonly session: SessionId | null;
  readonly publicKey: string;
  readonly name: string;
  readonly isolation: IsolationLevel;
  readonly attempts: readonly AttemptView[];
  readonly outbox: number;
  readonly lastAcknowledgementMs: number | null;
  readonly slots: { readonly offered: number; readonly free: number };
  readonly resources: { readonly offered: Resources; readonly free: Resources };
  readonly totals: Readonly<Totals>;
}
