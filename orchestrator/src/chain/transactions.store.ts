/** A transaction whose signed bytes are kept. */
export interface SignedTransaction {
  /** What it is for. There is never a second one that could land for the same. */
  readonly purpose: string;
  readonly signature: string;
  /** What is sent, again and again: signed once. */
  readonly wire: Uint8Array;
  /** No block above this height takes it. */
  readonly lastValidHeight: bigint;
  /** What it offers, in millionths of a lamport for each compute unit. */
  readonly microLamports: number;
}

/** How a transaction can end: it happened; it is in the chain and changed nothing; it never got there and never will. */
export type Ending = 'done' | 'failed' | 'expired';

/** What has become of a purpose so far. */
export interface PurposeHistory {
  /** One could still land. */
  readonly isLive: boolean;
  readonly isDone: boolean;
  readonly failed: number;
  readonly expired: number;
}

/** The orchestrator's own transactions. What a method wrote is committed when it returns. */
export abstract class TransactionsStore {
  /** Keeps signed bytes before they are sent. False when one of the purpose is live or done: then these must not be sent (G10). */
  abstract add(transaction: SignedTransaction): Promise<boolean>;
  /** Those that could still land, oldest first. */
  abstract live(limit: number): Promise<SignedTransaction[]>;
  /** Says how one ended. False when that was known already; it never ends a second time. */
  abstract end(signature: string, ending: Ending): Promise<boolean>;
  abstract history(purpose: string): Promise<PurposeHistory>;
}
