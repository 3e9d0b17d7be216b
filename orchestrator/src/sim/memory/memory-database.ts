import {
  ATTEMPT_TRANSITIONS,
  JOB_TRANSITIONS,
  mayFollow,
  TASK_TRANSITIONS,
} from '@tidemill/core/job';
import { DatabaseUnavailableError, type Tx } from '../../platform/db/db.js';
import type * as Rows from './rows.js';

/** What one client of the database is to it: a process, of which it knows nothing. */
export type Client = object;

/** How statements take their time. */
export interface Pace {
  nowMs(): number;
  /** Resolves when a statement of this client has travelled, and never when the client has gone meanwhile. */
  step(client: Client, label: string): Promise<void>;
}

/** What becomes of a commit. */
type Fate = 'commit' | 'refuse' | 'lose' | 'apply unsaid';

/** What goes wrong with the database. */
export interface Weather {
  commit(label: string): Fate;
  /** Whether the connection breaks with this statement. */
  breaks(label: string): boolean;
}

/** A deadlock, or a transaction that cannot be put into an order: the same transaction may run again. */
export class SerializationError extends Error {
  readonly code = '40001';
}

/** A rule of the schema was broken; named as PostgreSQL names it. */
class ConstraintError extends Error {
  readonly code = '23000';

  constructor(readonly constraint: string) {
    super(`violates ${constraint}`);
  }
}

export class Table<R> {
  readonly rows = new Map<string, R>();

  constructor(
    readonly name: string,
    /** Refuses a change, as a trigger or a check does. */
    readonly refuse: (before: R | undefined, after: R) => string | null = () => null,
  ) {}
}

/** One row of a committed transaction. */
export interface Change<R = unknown> {
  readonly table: object;
  readonly key: string;
  readonly before: R | undefined;
  readonly after: R | undefined;
}

/** Why a transaction of a client that said nothing ends: `idle_in_transaction_session_timeout`, and the same for a lock. */
export const IDLE_MS = 30_000;

/** One for all, since a stack trace for each would take longer than the transaction. */
const ENDED = new DatabaseUnavailableError('the transaction has ended');

const NO_CHANGE: ReadonlyMap<string, unknown> = new Map();

/**
 * The orchestrator's tables in memory, with what the stages rely on of PostgreSQL: transactions that are atomic, row locks, READ
 * COMMITTED, transaction ids with a horizon, unique keys, and the triggers that guard states and balances.
 */
export class MemoryDatabase {
  readonly jobs = new Table<Rows.JobRow>('jobs', (before, after) =>
    before === undefined || before.state === after.state || mayFollow(JOB_TRANSITIONS, before.state, after.state)
      ? null : 'job_transition'); // prettier-ignore
  readonly tasks = new Table<Rows.TaskRow>('tasks', (before, after) =>
    before === undefined || before.state === after.state || mayFollow(TASK_TRANSITIONS, before.state, after.state)
      ? (after.waiting && after.state !== 'queued' ? 'tasks_check' : null) : 'task_transition'); // prettier-ignore
  readonly attempts = new Table<Rows.AttemptRow>('attempts', (before, after) =>
    before === undefined || before.state === after.state || mayFollow(ATTEMPT_TRANSITIONS, before.state, after.state)
      ? null : 'attempt_transition'); // prettier-ignore
  readonly workers = new Table<Rows.WorkerRow>('workers');
  readonly jobEnds = new Table<Rows.JobEndRow>('job_ends');
  readonly keys = new Table<Rows.KeyRow>('idempotency_keys');
  readonly receipts = new Table<Rows.ReceiptRow>('receipts');
  readonly refused = new Table<Rows.RefusedRow>('receipts_refused');
  readonly outputs = new Table<Rows.OutputRow>('task_outputs');
  readonly verdicts = new Table<Rows.VerdictRow>('verdicts');
  readonly voided = new Table<Rows.VoidedRow>('voided');
  readonly charges = new Table<Rows.ChargeRow>('charges');
  readonly accounts = new Table<Rows.LedgerAccountRow>('ledger_accounts', (_, { bucket, balance }) =>
    balance >= 0n || bucket === 'grants' || bucket === 'fees' ? null : 'balance_not_negative'); // prettier-ignore
  readonly entries = new Table<Rows.LedgerEntryRow>('ledger_entries', (_, { postings }) =>
    postings.reduce((sum, { amount }) => sum + amount, 0n) === 0n ? null : 'entry_sums_to_zero'); // prettier-ignore
  readonly trail = new Table<Rows.TrailRow>('trail_events');
  readonly cursors = new Table<Rows.CursorRow>('stage_cursors');
  readonly sequencer = new Table<Rows.SequencerRow>('trail_sequencer');
  readonly places = new Table<number>('trail_chain');
  readonly artifacts = new Table<Rows.ArtifactRow>('artifacts');
  readonly grants = new Table<Rows.GrantRow>('artifact_grants');

  /** Told of every transaction that was committed, with its rows. */
  observe: (changes: readonly Change[], xid: number) => void = () => undefined;
  /** The newest transaction that has a number. */
  newestXid = 0;
  private lastId = 0;
  private readonly open = new Set<MemoryTx>();
  private readonly locks = new Map<string, { holder: MemoryTx; waiting: Waiter[] }>();

  constructor(
    readonly pace: Pace,
    readonly weather: Weather = { commit: () => 'commit', breaks: () => false },
  ) {
    for (const stage of ['verification', 'ledger']) this.cursors.rows.set(stage, { stage, xid: 0 });
    this.sequencer.rows.set('only', {
      epoch: 0,
      size: 0,
      chain: Buffer.alloc(32),
      frontier: Buffer.alloc(0),
      lastXid: 0,
      lastId: 0,
    });
  }

  begin(client: Client): MemoryTx {
    const tx = new MemoryTx(this, client);
    this.open.add(tx);
    return tx;
  }

  /** Every transaction below it has ended. */
  get horizon(): number {
    let oldest = this.newestXid + 1;
    for (const { xid } of this.open) if (xid !== null && xid < oldest) oldest = xid;
    return oldest;
  }

  /** The same for a statement of this transaction, which began before it had a number. */
  horizonBut(tx: MemoryTx): number {
    let oldest = this.newestXid + 1;
    for (const other of this.open)
      if (other !== tx && other.xid !== null && other.xid < oldest) oldest = other.xid;
    return Math.min(oldest, tx.xid ?? oldest);
  }

  nextXid(): number {
    this.newestXid += 1;
    return this.newestXid;
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  /** Open transactions of a client, oldest first. */
  openOf(client: Client): MemoryTx[] {
    return [...this.open].filter((tx) => tx.client === client);
  }

  /** Takes a row's lock if it is free; else says who has it. */
  tryLock(name: string, tx: MemoryTx): MemoryTx | null {
    const lock = this.locks.get(name);
    if (lock === undefined) {
      this.locks.set(name, { holder: tx, waiting: [] });
      return null;
    }
    return lock.holder === tx ? null : lock.holder;
  }

  /** Resolves when the lock is this transaction's; rejects the one that would close a circle. */
  waitFor(name: string, tx: MemoryTx): Promise<void> {
    const seen = new Set<MemoryTx>([tx]);
    for (let next = this.locks.get(name)?.holder; next !== undefined;) {
      if (seen.has(next)) return Promise.reject(new SerializationError('deadlock detected'));
      seen.add(next);
      const { waitsFor } = next;
      next = waitsFor === null ? undefined : this.locks.get(waitsFor)?.holder;
    }
    return new Promise((resolve, reject) => {
      this.locks.get(name)?.waiting.push({ tx, resolve, reject });
    });
  }

  end(tx: MemoryTx, names: ReadonlySet<string>): void {
    this.open.delete(tx);
    for (const name of names) {
      const lock = this.locks.get(name);
      const next = lock?.waiting.shift();
      if (lock === undefined || next === undefined) {
        this.locks.delete(name);
        continue;
      }
      lock.holder = next.tx;
      next.resolve();
    }
  }

  /** Takes a transaction out of the line of those that wait. */
  leave(tx: MemoryTx, name: string, cause: Error | null): void {
    const lock = this.locks.get(name);
    const at = lock?.waiting.findIndex((waiter) => waiter.tx === tx) ?? -1;
    if (at < 0) return;
    const [waiter] = lock?.waiting.splice(at, 1) ?? [];
    if (cause !== null) waiter?.reject(cause);
  }
}

interface Waiter {
  readonly tx: MemoryTx;
  readonly resolve: () => void;
  readonly reject: (cause: Error) => void;
}

/** One transaction: what it wrote is its own until it commits. */
export class MemoryTx implements Tx {
  xid: number | null = null;
  /** The lock it waits for. */
  waitsFor: string | null = null;
  private readonly written = new Map<Table<unknown>, Map<string, unknown>>();
  private readonly locked = new Set<string>();
  private readonly afterwards: (() => void)[] = [];
  private over: Error | null = null;

  constructor(
    readonly database: MemoryDatabase,
    readonly client: Client,
  ) {}

  query(): never {
    throw new Error('memory knows no SQL');
  }

  /**
   * One statement: it travels, takes the locks it names one after another, and then sees what is committed at that moment. It may
   * name locks by what it read under those before.
   */
  async statement<T>(label: string, locks: () => Iterable<string>, body: () => T): Promise<T> {
    const { pace, weather } = this.database;
    await pace.step(this.client, label);
    this.check();
    if (weather.breaks(label)) {
      this.rollback();
      throw new DatabaseUnavailableError('the connection broke');
    }
    let waited = false;
    for (const name of locks()) {
      waited = (await this.lock(name)) || waited;
    }
    const result = body();
    // It ran in the moment the lock became free; its client hears of it in a moment of its own.
    if (waited) await pace.step(this.client, 'waited');
    return result;
  }

  get<R>(table: Table<R>, key: string): R | undefined {
    const own = this.written.get(table as Table<unknown>);
    if (own?.has(key) === true) return own.get(key) as R | undefined;
    return table.rows.get(key);
  }

  all<R>(table: Table<R>): R[] {
    const own = (this.written.get(table as Table<unknown>) ?? NO_CHANGE) as ReadonlyMap<
      string,
      R | undefined
    >;
    if (own.size === 0) return [...table.rows.values()];
    const rows: R[] = [];
    for (const [key, row] of table.rows) {
      const seen = own.has(key) ? own.get(key) : row;
      if (seen !== undefined) rows.push(seen);
    }
    for (const [key, row] of own) if (!table.rows.has(key) && row !== undefined) rows.push(row);
    return rows;
  }

  put<R>(table: Table<R>, key: string, row: NoInfer<R>): void {
    const broken = table.refuse(this.get(table, key), row);
    if (broken !== null) throw new ConstraintError(broken);
    this.write(table, key, row);
  }

  /** @throws ConstraintError when the key is taken; it has to be locked before if others may want it too */
  insert<R>(table: Table<R>, key: string, row: NoInfer<R>): void {
    if (this.get(table, key) !== undefined) throw new ConstraintError(`${table.name}_pkey`);
    this.put(table, key, row);
  }

  remove<R>(table: Table<R>, key: string): void {
    this.write(table, key, undefined);
  }

  /** The transaction's number, which it has from its first write on. */
  number(): number {
    this.xid ??= this.database.nextXid();
    return this.xid;
  }

  /** Does something once the transaction is committed, and never if it is not. */
  onCommit(then: () => void): void {
    this.afterwards.push(then);
  }

  async commit(): Promise<void> {
    const { pace, weather } = this.database;
    if (this.xid === null && this.afterwards.length === 0) return this.end();
    await pace.step(this.client, 'commit');
    this.check();
    const fate = this.written.size === 0 ? 'commit' : weather.commit('commit');
    if (fate === 'refuse') {
      this.rollback();
      throw new SerializationError('could not serialize access');
    }
    if (fate === 'lose') this.rollback();
    else this.apply();
    await pace.step(this.client, 'committed');
    if (fate !== 'commit') throw new DatabaseUnavailableError('the outcome is not known');
  }

  rollback(): void {
    this.end();
  }

  private end(): void {
    if (this.over !== null) return;
    this.over = ENDED;
    if (this.waitsFor !== null) this.database.leave(this, this.waitsFor, null);
    this.database.end(this, this.locked);
  }

  private check(): void {
    if (this.over !== null) throw this.over;
  }

  private write<R>(table: Table<R>, key: string, row: NoInfer<R> | undefined): void {
    this.number();
    let own = this.written.get(table as Table<unknown>);
    if (own === undefined) {
      own = new Map();
      this.written.set(table as Table<unknown>, own);
    }
    own.set(key, row);
  }

  private async lock(name: string): Promise<boolean> {
    this.number();
    if (this.locked.has(name)) return false;
    const isFree = this.database.tryLock(name, this) === null;
    if (!isFree) {
      this.waitsFor = name;
      try {
        await this.database.waitFor(name, this);
      } catch (cause) {
        this.end();
        throw cause;
      } finally {
        this.waitsFor = null;
      }
    }
    this.locked.add(name);
    return !isFree;
  }

  private apply(): void {
    const changes: Change[] = [];
    for (const [table, own] of this.written) {
      for (const [key, after] of own) {
        changes.push({ table, key, before: table.rows.get(key), after });
        if (after === undefined) table.rows.delete(key);
        else table.rows.set(key, after);
      }
    }
    this.end();
    this.database.observe(changes, this.xid ?? 0);
    for (const then of this.afterwards) then();
  }
}
