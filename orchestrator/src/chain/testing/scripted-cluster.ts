import type { RunningChain } from '@tidemill/localnet/chain';
import { ComputeBudgetProgram, type PublicKey, VersionedTransaction } from '@solana/web3.js';
import { encodeBase58 } from '@tidemill/protocol';
import type { Random } from './random.js';

/** A transaction that some node took and no finalized block has yet. */
interface Travelling {
  readonly signature: string;
  readonly wire: Uint8Array;
  /** From this slot on it may be put into the finalized chain. */
  readonly landsAt: bigint;
  /** Until then nodes say that they have seen it. */
  readonly isSeen: boolean;
  /** It was in a block of a fork that is undone: then it is gone. */
  readonly isUndone: boolean;
}

/** What the weather on a cluster is like, each a share of 0 to 1. */
interface Weather {
  readonly lost: number;
  readonly undone: number;
  readonly late: number;
  /** What a transaction must offer to find room, in millionths of a lamport for each compute unit. */
  readonly minimumFee: number;
}

const CALM: Weather = { lost: 0, undone: 0, late: 0, minimumFee: 0 };
/** So long a late one can travel: longer than a blockhash is good. */
const LATEST = 200;

/**
 * A cluster over the real program in LiteSVM: transactions travel, get lost, arrive late, or lie in a fork that is undone, before they
 * are executed for good. The emulated chain below is its finalized state.
 */
export class ScriptedCluster {
  weather = CALM;
  private travelling: Travelling[] = [];
  /** What the account was at each slot at which it changed, for nodes that lag. */
  private readonly past = new Map<string, { slot: bigint; data: Buffer | null }[]>();

  constructor(
    readonly running: RunningChain,
    private readonly random: Random,
  ) {}

  get slot(): bigint {
    return this.running.chain.slots.now;
  }

  /** Accounts that lagging nodes are asked for. */
  remember(address: PublicKey): void {
    this.past.set(address.toBase58(), []);
    this.note();
  }

  pass(slots: number): void {
    this.running.chain.tick(BigInt(slots));
    this.deliver();
  }

  accept(wire: Uint8Array): void {
    const { random, weather } = this;
    const transaction = VersionedTransaction.deserialize(wire);
    const signature = encodeBase58(transaction.signatures[0] ?? new Uint8Array(64));
    if (random.chance(weather.lost) || offered(transaction) < weather.minimumFee) return;
    if (this.travelling.some((one) => one.signature === signature)) return;
    this.travelling.push({
      signature,
      wire,
      landsAt:
        this.slot + BigInt(random.chance(weather.late) ? random.below(LATEST) : random.below(3)),
      isSeen: random.chance(0.5),
      isUndone: random.chance(weather.undone),
    });
    this.deliver();
  }

  isSeen(signature: string): boolean {
    return this.travelling.some((one) => one.signature === signature && one.isSeen);
  }

  /** Whether it could still be put into a block, now or later. */
  couldLand(wire: Uint8Array): boolean {
    const { recentBlockhash } = VersionedTransaction.deserialize(wire).message;
    return this.running.chain.slots.isGood(recentBlockhash);
  }

  hasLanded(signature: string): boolean {
    return this.running.chain.transaction(signature)?.err === null;
  }

  data(address: PublicKey, slot: bigint): Buffer | null {
    const past = this.past.get(address.toBase58());
    if (past === undefined || slot >= this.slot) return this.dataNow(address);
    return past.findLast((one) => one.slot <= slot)?.data ?? null;
  }

  private deliver(): void {
    const due = this.travelling.filter(({ landsAt }) => landsAt <= this.slot);
    this.travelling = this.travelling.filter(({ landsAt }) => landsAt > this.slot);
    for (const { wire, isUndone } of due) {
      if (isUndone) continue;
      const { chain } = this.running;
      chain.send(chain.decode(Buffer.from(wire).toString('base64'), 'base64'), {
        skipPreflight: true,
      });
    }
    if (due.length > 0) this.note();
  }

  note(): void {
    for (const [address, past] of this.past)
      past.push({ slot: this.slot, data: this.dataNow({ toBase58: () => address }) });
  }

  private dataNow(address: Pick<PublicKey, 'toBase58'>): Buffer | null {
    const account = this.running.chain.account(address.toBase58());
    return account.exists ? Buffer.from(account.data) : null;
  }
}

function offered({ message }: VersionedTransaction): number {
  const budget = ComputeBudgetProgram.programId.toBase58();
  for (const { programIdIndex, data } of message.compiledInstructions)
    if (message.staticAccountKeys[programIdIndex]?.toBase58() === budget && data[0] === 3)
      return Number(Buffer.from(data).readBigUInt64LE(1));
  return 0;
}
