import type { PublicKey, VersionedTransaction } from '@solana/web3.js';
import type { Sighting } from '@tidemill/core/settlement';
import { decodeBase58 } from '@tidemill/protocol';
import {
  type AccountsAt,
  ChainNode,
  ChainUnavailableError,
  type ExecutedInstruction,
  type FreshBlockhash,
  type HistoryEntry,
} from '../chain-node.js';
import type { Random } from './random.js';
import type { ScriptedCluster } from './scripted-cluster.js';

/** What a node that lies says. */
export const LIES = [
  'everything is final',
  'nothing is there',
  'everything has expired',
  'everything was refused',
  'blockhashes run out at once',
  'the account is as it was',
  'the history is empty',
  'more was moved',
] as const;
type Lie = (typeof LIES)[number];

/** How a node misbehaves; shares of 0 to 1. */
export interface NodeFaults {
  readonly timeout: number;
  /** It does what it was asked and then does not answer. */
  readonly timeoutAfter: number;
  readonly rateLimit: number;
  /** How far it may be behind, in slots. */
  readonly lag: number;
  readonly lie: Lie | null;
}

export const NO_FAULTS: NodeFaults = {
  timeout: 0,
  timeoutAfter: 0,
  rateLimit: 0,
  lag: 0,
  lie: null,
};

interface View {
  readonly transaction: {
    readonly message: {
      readonly accountKeys: readonly string[];
      readonly instructions: readonly Compiled[];
    };
  };
  readonly meta: {
    readonly innerInstructions: readonly {
      readonly index: number;
      readonly instructions: readonly Compiled[];
    }[];
  };
}
interface Compiled {
  readonly programIdIndex: number;
  readonly accounts: readonly number[];
  readonly data: string;
  readonly stackHeight: number;
}

/** A node whose every fault a test sets, over a scripted cluster. */
export class ScriptedNode extends ChainNode {
  faults = NO_FAULTS;
  /** Where its lag brings it; it never goes back. */
  private at = 0n;

  constructor(
    readonly name: string,
    private readonly cluster: ScriptedCluster,
    private readonly random: Random,
    /** Called before and after what a call does: here a process may end. */
    private readonly step: () => void,
  ) {
    super();
  }

  genesisHash(): Promise<string> {
    return this.answer(() => this.cluster.running.chain.genesis);
  }

  finalizedSlot(): Promise<bigint> {
    return this.answer(() => this.slot());
  }

  finalizedHeight(): Promise<bigint> {
    return this.answer(() =>
      this.faults.lie === 'everything has expired' ? this.slot() + 100_000n : this.slot(),
    );
  }

  sightings(signatures: readonly string[]): Promise<Sighting[]> {
    return this.answer(() => signatures.map((signature) => this.sighting(signature)));
  }

  blockhash(): Promise<FreshBlockhash> {
    return this.answer(() => {
      const { slots } = this.cluster.running.chain;
      const isLying = this.faults.lie === 'blockhashes run out at once';
      return { blockhash: slots.blockhash, lastValidHeight: slots.now + (isLying ? 1n : 150n) };
    });
  }

  failureOf(transaction: VersionedTransaction): Promise<readonly string[] | null> {
    return this.answer(() => {
      const { chain } = this.cluster.running;
      const wire = Buffer.from(transaction.serialize()).toString('base64');
      const { err, logs } = chain.simulate(chain.decode(wire, 'base64'), { sigVerify: false });
      return err === null ? null : [...logs, JSON.stringify(err)];
    });
  }

  async send(wire: Uint8Array): Promise<void> {
    await this.answer(() => this.cluster.accept(wire));
  }

  recentFees(): Promise<number[]> {
    return this.answer(() => []);
  }

  accounts(addresses: readonly PublicKey[], from?: bigint): Promise<AccountsAt> {
    return this.answer(() => {
      const slot = this.slot();
      if (from !== undefined && slot < from) throw new ChainUnavailableError('behind');
      const seen = this.faults.lie === 'the account is as it was' ? 0n : slot;
      return { slot, data: addresses.map((address) => this.cluster.data(address, seen)) };
    });
  }

  history(address: PublicKey, before: string | null, limit: number): Promise<HistoryEntry[]> {
    return this.answer(() => {
      if (this.faults.lie === 'the history is empty') return [];
      const slot = this.slot();
      const all = this.cluster.running.chain
        .history(address.toBase58())
        .filter((one) => one.slot <= slot);
      const start = all.findIndex(({ signature }) => signature === before) + 1;
      return all
        .slice(start, start + limit)
        .map((one) => ({ signature: one.signature, slot: one.slot, hasFailed: one.err !== null }));
    });
  }

  executed(signature: string): Promise<readonly ExecutedInstruction[] | null> {
    return this.answer(() => {
      const view = this.cluster.running.call('getTransaction', [
        signature,
        { encoding: 'json' },
      ]) as View | null;
      if (view === null) return null;
      const all = instructionsOf(view);
      return this.faults.lie === 'more was moved' ? all.map(inflated) : all;
    });
  }

  private sighting(signature: string): Sighting {
    const { lie } = this.faults;
    if (lie === 'everything is final') return 'finalized';
    if (lie === 'everything was refused') return 'refused';
    if (lie === 'nothing is there' || lie === 'everything has expired') return 'absent';
    const found = this.cluster.running.chain.transaction(signature);
    if (found === undefined || found.slot > this.slot())
      return this.cluster.isSeen(signature) || found !== undefined ? 'seen' : 'absent';
    return found.err === null ? 'finalized' : 'refused';
  }

  /** How far it has come. */
  private slot(): bigint {
    // The slot of now is not closed yet: more may come into it.
    const behind = this.cluster.slot - 1n - BigInt(this.random.below(this.faults.lag + 1));
    if (behind > this.at) this.at = behind;
    return this.at;
  }

  // Everything is answered in the same tick, so that a seed alone decides the order of things.
  private answer<T>(work: () => T): Promise<T> {
    try {
      this.step();
      const { timeout, timeoutAfter, rateLimit } = this.faults;
      if (this.random.chance(timeout)) throw new ChainUnavailableError(`${this.name}: timed out`);
      if (this.random.chance(rateLimit)) throw new ChainUnavailableError(`${this.name}: 429`);
      const answer = work();
      this.step();
      if (this.random.chance(timeoutAfter))
        throw new ChainUnavailableError(`${this.name}: timed out`);
      return Promise.resolve(answer);
    } catch (cause) {
      return Promise.reject(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }
}

function instructionsOf({ transaction, meta }: View): ExecutedInstruction[] {
  const { accountKeys, instructions } = transaction.message;
  const shown = (one: Compiled, place: string, depth: number): ExecutedInstruction => ({
    place,
    depth,
    program: accountKeys[one.programIdIndex] ?? '',
    accounts: one.accounts.map((at) => accountKeys[at] ?? ''),
    data: decodeBase58(one.data, 4_096) ?? new Uint8Array(),
  });
  return instructions.flatMap((one, at) => [
    shown(one, String(at), 1),
    ...(meta.innerInstructions.find(({ index }) => index === at)?.instructions ?? []).map(
      (call, place) => shown(call, `${at}.${place}`, call.stackHeight),
    ),
  ]);
}

/** One base unit more, or eight bytes further on in whatever it is. */
function inflated(one: ExecutedInstruction): ExecutedInstruction {
  const data = Uint8Array.from(one.data);
  data[8] = ((data[8] ?? 0) + 1) % 256;
  return data.length > 8 ? { ...one, data } : one;
}
