import type { Amount } from '@tidemill/protocol';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Everything an agent is told when it starts. What is null is taken from the machine. */
export interface Settings {
  /** The orchestrator's address, without a path: `http://127.0.0.1:7070`. */
  readonly orchestrator: URL;
  readonly network: string | null;
  readonly keyFile: string;
  readonly stateDir: string;
  readonly name: string;
  readonly cpuMilli: number | null;
  readonly memoryMib: number | null;
  readonly diskMib: number | null;
  readonly gpus: number | null;
  readonly slots: number | null;
  readonly cacheMib: number;
  readonly askGpuHour: Amount;
  readonly askCpuHour: Amount;
  readonly region: string;
  /** Null: no local status server. */
  readonly statusPort: number | null;
  readonly payout: string | null;
  readonly drainGraceMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}
