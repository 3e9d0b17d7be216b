import type { AttemptId } from '@tidemill/protocol';
import type { KeptReceipt, Outbox } from './outbox.js';

/** An outbox that lives as long as its process: for simulation. */
export class MemoryOutbox implements Outbox {
  private readonly kept = new Map<AttemptId, KeptReceipt>();

  open(): Promise<readonly KeptReceipt[]> {
    return Promise.resolve([...this.kept.values()]);
  }

  append(receipts: readonly KeptReceipt[]): Promise<void> {
    for (const receipt of receipts) this.kept.set(receipt.attemptId, receipt);
    return Promise.resolve();
  }

  remove(attemptIds: readonly AttemptId[]): Promise<void> {
    for (const attemptId of attemptIds) this.kept.delete(attemptId);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
