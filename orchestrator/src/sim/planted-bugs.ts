import type { Entry } from '@tidemill/core/ledger';
import type { AccountId, SessionId, TaskId } from '@tidemill/protocol';
import { DatabaseUnavailableError, type Db, type Tx } from '../platform/db/db.js';
import type { Clock } from '../platform/clock.js';
import type { KeyClaim } from '../jobs/jobs.store.js';
import type { SoundReceipt } from '../receipts/check-receipts.js';
import type { Taken } from '../receipts/receipts.store.js';
import type { NewLease } from '../scheduling/leases.store.js';
import type { TrailEvent, TrailRows } from '../trail/trail.writer.js';
import { MemoryBillingStore } from './memory/memory-billing.store.js';
import { MemoryDb, within } from './memory/memory-db.js';
import { MemoryFleetStore } from './memory/memory-fleet.store.js';
import { MemoryJobsStore } from './memory/memory-jobs.store.js';
import { MemoryLeasesStore } from './memory/memory-leases.store.js';
import { MemoryLedgerBook } from './memory/memory-ledger-book.store.js';
import { MemoryStageCursors, MemoryTrailWriter } from './memory/memory-platform.js';
import { MemoryReceiptsStore } from './memory/memory-receipts.store.js';
import { MemoryVerdictsStore } from './memory/memory-verdicts.store.js';
import type { AttemptRow, TaskRow, WorkerRow } from './memory/rows.js';
import { SOUND_PARTS, type Parts } from './parts.js';

/** A mistake that somebody could make, wired into the simulator and nowhere else. */
export interface PlantedBug {
  readonly name: string;
  /** The rule that finds it. */
  readonly rule: string;
  readonly parts: Partial<Parts>;
}

class FenceIgnored extends MemoryReceiptsStore {
  protected override counts(
    { receipt }: SoundReceipt,
    attempt: AttemptRow,
    task: TaskRow,
  ): boolean {
    return (
      attempt.workerId === receipt.workerId &&
      ['leased', 'running', 'lost'].includes(attempt.state) &&
      ['queued', 'leased', 'running'].includes(task.state)
    );
  }
}

class FenceComparedLoosely extends MemoryReceiptsStore {
  protected override counts(sound: SoundReceipt, attempt: AttemptRow, task: TaskRow): boolean {
    return task.fence >= sound.receipt.fence && super.counts(sound, attempt, { ...task, fence: attempt.fence }); // prettier-ignore
  }
}

/** Orders the audit of a result in the transaction that stores it, before anybody could hold the worker to what it said. */
class DrawnTooSoon extends MemoryReceiptsStore {
  private readonly copies = new MemoryVerdictsStore();

  override async take(tx: Tx, sent: readonly SoundReceipt[]): Promise<readonly Taken[]> {
    const taken = await super.take(tx, sent);
    const drawn = taken.filter(({ isChecked }) => isChecked);
    await this.copies.addCopies(
      tx,
      drawn.map(({ taskId, attemptId }) => ({
        taskId: attemptId.replace('att_', 'task_') as TaskId, // as unlike any other as the attempt's id
        rootId: taskId,
        role: 'audit',
      })),
    );
    return taken;
  }
}

class RenewedAfterLoss extends MemoryFleetStore {
  protected override mayRenew(worker: WorkerRow, _session: SessionId): boolean {
    return worker.profile.slots > 0;
  }
}

class SweptByLocalClock extends MemoryFleetStore {
  constructor(private readonly clock: Clock) {
    super();
  }

  protected override sweepsAtMs(): number {
    return this.clock.nowMs();
  }
}

class LeasedTwice extends MemoryLeasesStore {
  protected override stillStands(_plan: NewLease, task: TaskRow): boolean {
    return ['queued', 'leased', 'running'].includes(task.state);
  }
}

/** Answers before the commit has been heard of. */
class AcknowledgesEarly extends MemoryDb {
  override transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      super
        .transaction(async (tx) => {
          const result = await work(tx);
          resolve(result);
          return result;
        })
        .catch((cause: unknown) => {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        });
    });
  }
}

/** Does everything again when it did not hear whether it was done. */
class RepeatsTheUnknown extends MemoryDb {
  override async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await super.transaction(work);
    } catch (cause) {
      if (!(cause instanceof DatabaseUnavailableError)) throw cause;
      return super.transaction(work);
    }
  }
}

class KeysWithoutTenant extends MemoryJobsStore {
  protected override nameOf(_accountId: AccountId, key: string): string {
    return key;
  }
}

class KeysForgotten extends MemoryJobsStore {
  override claimKeys(_tx: Tx, claims: readonly KeyClaim[]): Promise<ReadonlySet<KeyClaim>> {
    return Promise.resolve(new Set(claims));
  }

  override keyedRequest(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** Writes its events when the transaction is none of their business any more. */
class EventsApart extends MemoryTrailWriter {
  constructor(
    clock: Clock,
    private readonly db: MemoryDb,
  ) {
    super(clock);
  }

  protected override insert(_tx: Tx, rows: TrailRows): Promise<void> {
    return super.insert(this.db, rows);
  }
}

/** Does not say what a worker reported. */
class ReceiptsUntold extends MemoryTrailWriter {
  override append(tx: Tx, events: readonly TrailEvent[]): Promise<void> {
    return super.append(tx, events.filter(({ kind }) => kind !== 'receipt.stored')); // prettier-ignore
  }
}

class EntriesWithoutRole extends MemoryLedgerBook {
  protected override nameOf({ ref }: Entry): string {
    return ref;
  }
}

/** Books the entries of a kind a second time, under another name. */
class BooksTwice extends MemoryLedgerBook {
  private again = '';

  constructor(
    db: Db,
    private readonly kind: Entry['kind'],
  ) {
    super(db);
  }

  protected override nameOf(entry: Entry): string {
    return super.nameOf(entry) + this.again;
  }

  override async book(tx: Tx, wanted: readonly Entry[]): Promise<readonly Entry[]> {
    const booked = await super.book(tx, wanted);
    this.again = ' again';
    await super.book(tx, booked.filter(({ kind }) => kind === this.kind)); // prettier-ignore
    this.again = '';
    return booked;
  }
}

class ReleasedEarly extends MemoryBillingStore {
  override release(tx: Tx, _afterMs: number, _afterResults: number, limit: number) {
    return super.release(tx, 0, 0, limit);
  }
}

/** Takes every row that it sees for all there is, though transactions before the newest are still open. */
class WindowsTooWide extends MemoryStageCursors {
  override async open(on: Tx, stage: string) {
    const { from } = await super.open(on, stage);
    return within(on, (tx) => Promise.resolve({ from, to: String(tx.database.newestXid + 1) }));
  }
}

/** Moves a cursor in a transaction of its own. */
class CursorsApart extends MemoryStageCursors {
  constructor(private readonly db: MemoryDb) {
    super();
  }

  override async open(on: Tx, stage: string) {
    const window = await within(this.db, (tx) => super.open(tx, stage));
    await within(on, (tx) => Promise.resolve(tx.number()));
    return window;
  }

  override async close(_tx: Tx, stage: string, to: string): Promise<void> {
    await super.close(this.db, stage, to);
  }
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  { name: 'fence-ignored', rule: 'no unfenced result is accepted (G4)', parts: { receipts: () => new FenceIgnored() } },
  { name: 'fence-compared-with-ge', rule: 'no unfenced result is accepted (G4)', parts: { receipts: () => new FenceComparedLoosely() } },
  { name: 'audit-drawn-before-commitment', rule: 'a result is committed before its audit is drawn (G14)', parts: { receipts: () => new DrawnTooSoon() } },
  { name: 'lease-renewed-after-loss', rule: 'a lost worker comes back by logging in (G5)', parts: { fleet: () => new RenewedAfterLoss() } },
  { name: 'sweep-uses-local-clock', rule: 'a term ends by the database’s clock (G5)', parts: { fleet: (clock) => new SweptByLocalClock(clock) } },
  { name: 'task-leased-twice', rule: 'a task has at most one live lease (G4)', parts: { leases: () => new LeasedTwice() } },
  { name: 'acknowledged-before-commit', rule: 'an acknowledged job exists (G1)', parts: { db: (database, process) => new AcknowledgesEarly(database, process) } },
  { name: 'unknown-commit-repeated', rule: 'no unexpected error', parts: { db: (database, process) => new RepeatsTheUnknown(database, process) } },
  { name: 'key-without-tenant', rule: 'a key is its submitter’s own (G2)', parts: { jobs: () => new KeysWithoutTenant() } },
  { name: 'key-forgotten', rule: 'submitting twice is submitting once (G2)', parts: { jobs: () => new KeysForgotten() } },
  { name: 'event-outside-transaction', rule: 'a change and its event are one transaction (G15)', parts: { trail: (clock, db) => new EventsApart(clock, db) } },
  { name: 'receipt-untold', rule: 'a change and its event are one transaction (G15)', parts: { trail: (clock) => new ReceiptsUntold(clock) } },
  { name: 'accrual-key-without-role', rule: 'nothing is held for a job that has ended (G9)', parts: { book: (db) => new EntriesWithoutRole(db) } },
  { name: 'release-before-window', rule: 'a reward can be withheld for its time (G12)', parts: { billing: () => new ReleasedEarly() } },
  { name: 'double-charge', rule: 'no unexpected error', parts: { book: (db) => new BooksTwice(db, 'charge') } },
  { name: 'refund-twice', rule: 'nothing is held for a job that has ended (G9)', parts: { book: (db) => new BooksTwice(db, 'refund') } },
  { name: 'window-beyond-open-transactions', rule: 'nothing is held for a job that has ended (G9)', parts: { cursors: () => new WindowsTooWide() } },
  { name: 'cursor-outside-transaction', rule: 'what happens once is told once (G15)', parts: { cursors: (db) => new CursorsApart(db) } },
]; // prettier-ignore

/** The adapters with a bug, or the sound ones. */
export function partsWith(name: string | null): Parts {
  if (name === null) return SOUND_PARTS;
  const bug = PLANTED_BUGS.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug ${name}`);
  return { ...SOUND_PARTS, ...bug.parts };
}
