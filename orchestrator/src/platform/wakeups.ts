import type { Tx } from './db/db.js';

/** What a stage may be woken for. A wake-up only saves waiting: every stage finds its work in rows by itself. */
export type Channel =
  | 'tasks'
  | 'offers'
  | 'receipts'
  | 'verdicts'
  | 'job'
  | 'cancel'
  | 'stops'
  | 'webhooks'
  | 'keys'
  | 'workers'
  | 'epochs';

/** Wake-ups between stages and between replicas of the orchestrator. Any of them may be lost. */
export abstract class Wakeups {
  private readonly listeners = new Map<Channel, (() => void)[]>();

  on(channel: Channel, wake: () => void): void {
    this.listeners.set(channel, [...(this.listeners.get(channel) ?? []), wake]);
  }

  /** Wakes listeners of these channels everywhere once `tx` commits. */
  abstract notify(tx: Tx, ...channels: Channel[]): Promise<void>;

  /** Wakes listeners in this process now, after a commit that told nobody else. */
  local(channel: Channel): void {
    for (const wake of this.listeners.get(channel) ?? []) wake();
  }
}
