import { Clock, type LiteSVM } from 'litesvm';

/** For so many slots a transaction may name a blockhash (Solana's MAX_PROCESSING_AGE). */
export const BLOCKHASH_LIFE = 150n;
export const SLOTS_PER_EPOCH = 432_000n;
/** How far back lookup tables may look for a slot; more would be of no use to anybody here. */
const KEPT_SLOT_HASHES = 64;

export type Commitment = 'processed' | 'confirmed' | 'finalized';
const LEVELS: readonly Commitment[] = ['processed', 'confirmed', 'finalized'];

export interface SlotOptions {
  /** After so many slots a transaction counts as confirmed, and as final. */
  readonly confirmSlots: bigint;
  readonly finalizeSlots: bigint;
  readonly nowMs: () => number;
}

export interface SavedSlots {
  readonly slot: string;
  readonly shiftS: string;
  readonly hashes: readonly (readonly [string, string])[];
}

/** Slots, time and blockhashes of the chain: LiteSVM has none of its own that move. */
export class Slots {
  private slot = 0n;
  /** How far the chain's time is ahead of the machine's, in seconds. */
  private shiftS = 0n;
  /** Blockhashes that are still good, and the slot that made them. */
  private readonly hashes = new Map<string, bigint>();
  private readonly recent: { slot: bigint; hash: string }[] = [];

  constructor(
    private readonly svm: LiteSVM,
    private readonly options: SlotOptions,
    saved?: SavedSlots,
  ) {
    if (saved !== undefined) {
      this.slot = BigInt(saved.slot);
      this.shiftS = BigInt(saved.shiftS);
      for (const [hash, slot] of saved.hashes) this.hashes.set(hash, BigInt(slot));
    }
    this.moveTo(this.slot + 1n);
  }

  get now(): bigint {
    return this.slot;
  }

  /** The chain's time in seconds since 1970. */
  get unixS(): bigint {
    return BigInt(Math.floor(this.options.nowMs() / 1_000)) + this.shiftS;
  }

  get blockhash(): string {
    return this.svm.latestBlockhash();
  }

  isGood(blockhash: string): boolean {
    return this.hashes.has(blockhash);
  }

  /** How sure a transaction of that slot is by now. */
  commitmentOf(slot: bigint): Commitment {
    const age = this.slot - slot;
    if (age >= this.options.finalizeSlots) return 'finalized';
    return age >= this.options.confirmSlots ? 'confirmed' : 'processed';
  }

  hasReached(slot: bigint, wanted: Commitment = 'finalized'): boolean {
    return LEVELS.indexOf(this.commitmentOf(slot)) >= LEVELS.indexOf(wanted);
  }

  /** Moves time on, for tests that cannot wait. */
  skip(slots: bigint, seconds: bigint): void {
    this.shiftS += seconds;
    this.moveTo(this.slot + slots);
  }

  save(): SavedSlots {
    return {
      slot: String(this.slot),
      shiftS: String(this.shiftS),
      hashes: [...this.hashes].map(([hash, slot]) => [hash, String(slot)]),
    };
  }

  private moveTo(slot: bigint): void {
    this.slot = slot;
    const epoch = slot / SLOTS_PER_EPOCH;
    const before = this.svm.getClock();
    const isSameEpoch = epoch === before.epoch && before.epochStartTimestamp !== 0n;
    const began = isSameEpoch ? before.epochStartTimestamp : this.unixS;
    this.svm.setClock(new Clock(slot, began, epoch, epoch + 1n, this.unixS));
    this.svm.expireBlockhash();
    this.hashes.set(this.blockhash, slot);
    for (const [hash, made] of this.hashes)
      if (made + BLOCKHASH_LIFE < slot) this.hashes.delete(hash);
      else break;
    this.recent.unshift({ slot: slot - 1n, hash: this.blockhash });
    this.recent.length = Math.min(this.recent.length, KEPT_SLOT_HASHES);
    this.svm.setSlotHashes(this.recent);
  }
}
