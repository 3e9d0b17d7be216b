import {
  type RootStatement,
  SettlementTree,
  type WorkerLeaf,
  workerLeafBytes,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import type { Db, Tx } from '../../platform/db/db.js';
import type { ToPost } from '../../settlement/epochs.js';
import type { EpochTrees } from '../../settlement/trees.js';
import { type ChainState, ChainStateStore, type Cursor } from '../chain-state.store.js';
import type { Books } from '../observer.js';
import type { EpochUnderWay, EpochsUnderWay } from '../epochs-under-way.js';

interface Sealed {
  readonly statement: RootStatement;
  readonly attestations: ToPost['attestations'];
  readonly leaves: readonly WorkerLeaf[];
  state: 'sealed' | 'posted' | 'final' | 'voided';
}

interface Rows {
  cursor: Cursor | null;
  stopped: string | null;
  reconciled: bigint | null;
  seen: bigint;
  deposited: bigint;
  withdrawn: bigint;
  paid: bigint;
  feesWithdrawn: bigint;
  requested: Map<string, bigint>;
  refs: Set<string>;
  paidOf: Map<number, bigint>;
  epochs: Map<bigint, Sealed>;
  trail: string[];
}

/** What PostgreSQL keeps of settlement, in memory, for schedules of which thousands run: a transaction that throws leaves nothing. */
export class MemoryLedger {
  rows: Rows = {
    cursor: null,
    stopped: null,
    reconciled: null,
    seen: 0n,
    deposited: 0n,
    withdrawn: 0n,
    paid: 0n,
    feesWithdrawn: 0n,
    requested: new Map(),
    refs: new Set(),
    paidOf: new Map(),
    epochs: new Map(),
    trail: [],
  };

  constructor(private readonly network: Uint8Array) {}

  seal(
    statement: RootStatement,
    attestations: ToPost['attestations'],
    leaves: readonly WorkerLeaf[],
  ) {
    this.rows.epochs.set(statement.epoch, { statement, attestations, leaves, state: 'sealed' });
  }

  /** `step` is called inside and after: here the process may end. */
  db(step: () => void): Pick<Db, 'transaction'> {
    return {
      transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
        const before = copied(this.rows);
        let result: T;
        try {
          step();
          result = await work({} as Tx);
          step();
        } catch (cause) {
          this.rows = before;
          throw cause;
        }
        // Committed, but nobody is told.
        step();
        return result;
      },
    };
  }

  readonly store: ChainStateStore = new MemoryChainState(() => this.rows);

  readonly underWay: EpochsUnderWay = {
    now: (): Promise<EpochUnderWay | null> => {
      for (const [number, { state, statement }] of this.rows.epochs)
        if (state === 'sealed' || state === 'posted')
          return Promise.resolve({ number, state, statement });
      return Promise.resolve(null);
    },
    lastFinal: () => Promise.resolve(this.rows.epochs.get(1n)?.state === 'final' ? 1n : null),
  };

  readonly epochs = {
    toPost: (): Promise<ToPost | null> => {
      for (const [number, { state, statement, attestations }] of this.rows.epochs)
        if (state === 'sealed') return Promise.resolve({ number, statement, attestations });
      return Promise.resolve(null);
    },
    posted: (_: Tx, number: bigint) => this.move(number, ['sealed'], 'posted'),
    final: (_: Tx, number: bigint) => this.move(number, ['posted'], 'final'),
    voided: (_: Tx, number: bigint) => this.move(number, ['posted'], 'voided'),
  };

  readonly trees = {
    of: (number: bigint): Promise<EpochTrees> => {
      const leaves = this.rows.epochs.get(number)?.leaves ?? [];
      const hashes = leaves.map((leaf) => nodeSha256(workerLeafBytes(this.network, leaf)));
      return Promise.resolve({
        workers: { tree: new SettlementTree(hashes, nodeSha256), leaves },
        submitters: { tree: new SettlementTree([], nodeSha256), leaves: [] },
      });
    },
  };

  readonly trail = {
    append: (_: Tx, events: readonly { readonly kind: string }[]): Promise<void> => {
      this.rows.trail.push(...events.map(({ kind }) => kind));
      return Promise.resolve();
    },
  };

  readonly books: Books & {
    vault(): Promise<bigint>;
    seenSlot(): Promise<bigint>;
    totals(): Promise<Rows>;
  } = {
    deposited: (_, { amount, ref }) => this.once(ref, () => (this.rows.deposited += amount)),
    withdrawalRequested: (_, { wallet, amount, ref }) =>
      this.once(ref, () => this.rows.requested.set(wallet, amount)),
    withdrawn: (_, { wallet, amount, ref }) =>
      this.once(ref, () => {
        this.rows.withdrawn += amount;
        this.rows.requested.delete(wallet);
      }),
    claimed: (_, { amount, ref }) => this.once(ref, () => (this.rows.paid += amount)),
    feesWithdrawn: (_, { amount, ref }) =>
      this.once(ref, () => (this.rows.feesWithdrawn += amount)),
    seen: (_, slot) => {
      if (slot > this.rows.seen) this.rows.seen = slot;
      return Promise.resolve();
    },
    vault: () => {
      const { deposited, withdrawn, paid, feesWithdrawn } = this.rows;
      return Promise.resolve(deposited - withdrawn - paid - feesWithdrawn);
    },
    seenSlot: () => Promise.resolve(this.rows.seen),
    totals: () => Promise.resolve(this.rows),
  };

  private once(ref: string, book: () => void): Promise<void> {
    if (this.rows.refs.has(ref)) return Promise.reject(new Error(`${ref} was booked already`));
    this.rows.refs.add(ref);
    book();
    return Promise.resolve();
  }

  private move(
    number: bigint,
    from: readonly Sealed['state'][],
    to: Sealed['state'],
  ): Promise<void> {
    const epoch = this.rows.epochs.get(number);
    if (epoch === undefined) return Promise.reject(new Error(`no epoch ${number}`));
    if (epoch.state === to) return Promise.resolve();
    if (!from.includes(epoch.state))
      return Promise.reject(new Error(`epoch ${number} is ${epoch.state}, not to be ${to}`));
    epoch.state = to;
    return Promise.resolve();
  }
}

class MemoryChainState extends ChainStateStore {
  constructor(private readonly rows: () => Rows) {
    super();
  }

  state(): Promise<ChainState> {
    const { cursor, stopped, reconciled } = this.rows();
    return Promise.resolve({
      cursor,
      stopped: stopped === null ? null : { at: new Date(0), why: stopped },
      reconciledAt: reconciled === null ? null : new Date(0),
      reconciledSlot: reconciled,
    });
  }
  lock(): Promise<void> {
    return Promise.resolve();
  }
  advance(_: Tx, from: Cursor | null, to: Cursor): Promise<boolean> {
    const rows = this.rows();
    if (rows.cursor?.signature !== from?.signature) return Promise.resolve(false);
    rows.cursor = { signature: to.signature, slot: to.slot };
    return Promise.resolve(true);
  }
  reconciled(_: Tx, slot: bigint): Promise<void> {
    this.rows().reconciled = slot;
    return Promise.resolve();
  }
  stop(_: Tx, why: string): Promise<boolean> {
    const rows = this.rows();
    const isNew = rows.stopped === null;
    rows.stopped ??= why;
    return Promise.resolve(isNew);
  }
  resume(): Promise<boolean> {
    const rows = this.rows();
    const was = rows.stopped !== null;
    rows.stopped = null;
    return Promise.resolve(was);
  }
  paid(_: Tx, indexes: readonly number[]): Promise<Map<number, bigint>> {
    const { paidOf } = this.rows();
    return Promise.resolve(
      new Map(
        indexes.flatMap((index) => {
          const paid = paidOf.get(index);
          return paid === undefined ? [] : [[index, paid] as const];
        }),
      ),
    );
  }
  setPaid(_: Tx, paid: ReadonlyMap<number, bigint>): Promise<void> {
    for (const [index, amount] of paid) this.rows().paidOf.set(index, amount);
    return Promise.resolve();
  }
}

/** A copy that what is changed later does not reach; statements and leaves never change. */
function copied(rows: Rows): Rows {
  return {
    ...rows,
    requested: new Map(rows.requested),
    refs: new Set(rows.refs),
    paidOf: new Map(rows.paidOf),
    epochs: new Map([...rows.epochs].map(([number, epoch]) => [number, { ...epoch }])),
    trail: [...rows.trail],
  };
}
