import { isFinal, JOB_TRANSITIONS } from '@tidemill/core/job';
import { suitable } from '@tidemill/core/scheduler';
import { trailDigest, type AccountId, type JobId } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { ProblemError } from '../platform/http/problem.js';
import { DatabaseUnavailableError } from '../platform/db/db.js';
import { chainBatch } from '../trail/chain-batch.js';
import {
  SerializationError,
  type Change,
  type MemoryDatabase,
  type Table,
} from './memory/memory-database.js';
import { openWorkerOf } from './memory/memory-jobs.store.js';
import type * as Rows from './memory/rows.js';
import type { Kernel } from './kernel/kernel.js';
import type { JobPlan, Scenario } from './scenario.js';

export interface Violation {
  readonly name: string;
  readonly detail: string;
  readonly atMs: number;
}

/** Who asks for a job, as far as what it was promised is concerned. */
interface Submitter {
  readonly name: string;
  readonly account: AccountId;
  readonly plan: JobPlan;
  readonly deliveries: number;
  readonly isDone: boolean;
}

/** What is watched. */
interface Observed {
  readonly kernel: Kernel;
  readonly database: MemoryDatabase;
  readonly scenario: Scenario;
  readonly clients: readonly Submitter[];
}

/** A reward waits for this long and for so many later results before it can no longer be withheld (B.6). */
const RELEASE_AFTER_MS = 24 * 3_600_000;
const RELEASE_AFTER_RESULTS = 200;

/** Kinds of events that happen to a subject once. */
const ONCE = new Set(['job.accepted', 'task.placed', 'receipt.stored', 'verdict.given', 'ledger.booked', 'ledger.refunded']); // prettier-ignore

/** What must hold after every commit, and what must hold when all is over. The first breach ends the simulation. */
export class Invariants {
  violation: Violation | null = null;
  private readonly stored = new Map<string, number>();
  private readonly seen = new Set<string>();

  constructor(private readonly world: Observed) {}

  broken(name: string, detail: string): void {
    this.violation ??= { name, detail, atMs: Math.round(this.world.kernel.nowMs) };
  }

  /** A request failed; with a problem that was to be expected, or because the database could not be reached. */
  failed(what: string, cause: unknown): void {
    if (cause instanceof ProblemError || cause instanceof DatabaseUnavailableError) return;
    if (cause instanceof SerializationError) return;
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.broken('no unexpected error', `${what}: ${text}`);
  }

  /** A submitter was told that its job is accepted. */
  acknowledged(client: Submitter, id: JobId): void {
    const job = this.world.database.jobs.rows.get(id);
    if (job === undefined) this.broken('an acknowledged job exists (G1)', id);
    else if (job.accountId !== client.account || job.name !== client.name)
      this.broken('an answer is about the job that was asked for (G2)', `${client.name}: ${id}`);
  }

  refusedAsMismatch(client: Submitter): void {
    const others = this.world.clients.filter((other) =>
      other !== client && other.account === client.account && other.plan.key === client.plan.key); // prettier-ignore
    if (others.length === 0)
      this.broken('a key is its submitter’s own (G2)', `${client.name} was refused`);
  }

  committed(changes: readonly Change[], xid: number): void {
    const { database } = this.world;
    const said = new Set<string>();
    for (const change of changes) {
      if (!isOf(change, database.trail)) continue;
      const { after } = change;
      if (after === undefined) return this.broken('the trail only grows (G15)', change.key);
      this.event(after);
      said.add(`${after.kind} ${after.subject}`);
    }
    for (const change of changes) {
      if (isOf(change, database.jobs)) this.job(change, said);
      else if (isOf(change, database.tasks)) this.task(change, xid);
      else if (isOf(change, database.attempts)) this.attempt(change, said);
      else if (isOf(change, database.workers)) this.worker(change, said);
      else if (isOf(change, database.receipts)) this.receipt(change, said);
      else if (isOf(change, database.verdicts)) this.mustSay(said, 'verdict.given', change.key);
      else if (isOf(change, database.charges) && change.before === undefined)
        this.mustSay(said, 'ledger.booked', change.key);
      else if (isOf(change, database.entries)) this.entry(change);
    }
    for (const name of said) {
      const [kind, subject] = name.split(' ');
      if (kind === 'receipt.stored' && subject !== undefined) this.stored.set(subject, xid);
    }
  }

  private mustSay(said: ReadonlySet<string>, kind: string, subject: string): void {
    if (!said.has(`${kind} ${subject}`))
      this.broken('a change and its event are one transaction (G15)', `${kind} ${subject}`);
  }

  /** One that may be checked is told when it is stored, the others with their verdict. */
  private receipt(
    { key, before, after }: Change<Rows.ReceiptRow>,
    said: ReadonlySet<string>,
  ): void {
    if (before === undefined && after?.checked === true) this.mustSay(said, 'receipt.stored', key);
  }

  private event({ kind, subject, atMs, body, digest }: Rows.TrailRow): void {
    const { database } = this.world;
    const name = `${kind} ${subject}`;
    if (ONCE.has(kind) && this.seen.has(name))
      this.broken('what happens once is told once (G15)', name);
    this.seen.add(name);
    const explains = {
      'job.accepted': database.jobs,
      'task.placed': database.attempts,
      'receipt.stored': database.receipts,
      'verdict.given': database.verdicts,
      'ledger.booked': database.charges,
    }[kind];
    if (explains !== undefined && !explains.rows.has(subject))
      this.broken('a change and its event are one transaction (G15)', `${name} without a change`);
    const digested = trailDigest({ kind, subject, atMs, body }, nodeSha256);
    if (Buffer.compare(digested, digest) !== 0)
      this.broken('the digest of an event is that of its text (G15)', name);
  }

  private job({ key, before, after }: Change<Rows.JobRow>, said: ReadonlySet<string>): void {
    const { database, clients } = this.world;
    if (after === undefined) return this.broken('an accepted job is never lost (G1)', key);
    if (before === undefined) {
      this.mustSay(said, 'job.accepted', key);
      if (after.hold > 0n && this.booked(key, ['hold']) !== 1)
        this.broken('a job is accepted with its hold (G1)', key);
      const client = clients.find((one) => one.account === after.accountId && one.name === after.name); // prettier-ignore
      const made = [...database.jobs.rows.values()].filter((one) =>
        one.accountId === after.accountId && one.name === after.name); // prettier-ignore
      const most = client === undefined ? 0 : client.plan.key === null ? client.deliveries : 1;
      if (made.length > most)
        this.broken('submitting twice is submitting once (G2)', `${after.name}: ${made.length}`);
      return;
    }
    if (before.state === after.state) return;
    if (!isFinal(JOB_TRANSITIONS, after.state)) return;
    if (database.jobEnds.rows.get(key)?.state !== after.state)
      this.broken('a job ends once (G1)', `${key} ${after.state}`);
    if (after.state !== 'succeeded') this.mustSay(said, `job.${after.state}`, key);
  }

  private task({ key, before, after }: Change<Rows.TaskRow>, xid: number): void {
    const { database } = this.world;
    if (after === undefined) return this.broken('an accepted job is never lost (G1)', key);
    if (before !== undefined && after.fence < before.fence)
      this.broken('a fence only rises (G4)', `${key} ${before.fence} to ${after.fence}`);
    if (before !== undefined || after.role !== 'audit') return;
    const checked = [...database.attempts.rows.values()].find((attempt) =>
      attempt.taskId === after.rootId && ['reported', 'disputed'].includes(attempt.state)); // prettier-ignore
    const committed = checked === undefined ? undefined : this.stored.get(checked.id);
    if (committed === undefined || committed >= xid)
      this.broken('a result is committed before its audit is drawn (G14)', after.rootId);
  }

  private attempt(
    { key, before, after }: Change<Rows.AttemptRow>,
    said: ReadonlySet<string>,
  ): void {
    const { database, scenario } = this.world;
    if (after === undefined) return this.broken('attempts are kept', key);
    const task = database.tasks.rows.get(after.taskId);
    if (before === undefined) {
      this.mustSay(said, 'task.placed', key);
      const others = [...database.attempts.rows.values()].filter((one) =>
        one.taskId === after.taskId && one.id !== after.id); // prettier-ignore
      if (others.some(({ live }) => live))
        this.broken('a task has at most one live lease (G4)', after.taskId);
      if (others.some(({ fence }) => fence >= after.fence))
        this.broken('a fence is given once (G4)', `${after.taskId} ${after.fence}`);
      return;
    }
    if (before.state === after.state) return;
    if (after.state === 'reported' && task?.fence !== after.fence)
      this.broken('no unfenced result is accepted (G4)', `${key} ${after.fence}`);
    if (after.state === 'lost' && scenario.faultsUntilMs === 0)
      this.broken('nothing moves that need not move (G5)', key);
    if (after.state === 'accepted' && this.acceptedOf(after.taskId).length > 1)
      this.broken('a task has one effective result (G4)', after.taskId);
  }

  private worker({ key, before, after }: Change<Rows.WorkerRow>, said: ReadonlySet<string>): void {
    if (before === undefined || after === undefined) return;
    const nowMs = this.world.database.pace.nowMs();
    if (before.state !== 'lost' && after.state === 'lost') {
      this.mustSay(said, 'worker.lost', key);
      if (before.leaseUntilMs >= nowMs)
        this.broken('a term ends by the database’s clock (G5)', `${key} had time left`);
    }
    const isBack = before.state === 'lost' && after.state === 'online';
    if (isBack && (after.session === null || after.revision === before.revision))
      this.broken('a lost worker comes back by logging in (G5)', key);
    if (before.state === 'lost' && !isBack && after.leaseUntilMs > before.leaseUntilMs)
      this.broken('a lost worker comes back by logging in (G5)', `${key} was renewed`);
    if (before.session !== after.session && before.revision === after.revision)
      this.broken('a session is a login’s (G21)', key);
  }

  private entry({ key, before, after }: Change<Rows.LedgerEntryRow>): void {
    const { charges, workers } = this.world.database;
    if (before !== undefined || after === undefined)
      return this.broken('a ledger entry is for good (G9)', key);
    const charge = charges.rows.get(after.ref);
    if (['charge', 'check', 'refund', 'earn'].includes(after.kind) && charge === undefined)
      this.broken('money moves for a charge (G9)', key);
    if (after.kind !== 'earn' || charge === undefined) return;
    const results = (workers.rows.get(charge.workerId)?.accepted ?? 0) - charge.workerResults;
    if (charge.atMs > after.atMs - RELEASE_AFTER_MS || results < RELEASE_AFTER_RESULTS)
      this.broken('a reward can be withheld for its time (G12)', key);
  }

  /** Jobs that have not ended though nothing that the submitter asked for stands in their way. */
  stuck(): Rows.JobRow[] {
    const { database } = this.world;
    const open = [...database.jobs.rows.values()].filter(({ state }) => !isFinal(JOB_TRANSITIONS, state));
    return open.filter((job) => !this.waitsForNobody(job));
  } // prettier-ignore

  /** Whether a job waits for a worker that is not there. An audit was the network’s own idea, so no job may wait for that. */
  private waitsForNobody(job: Rows.JobRow): boolean {
    const { database } = this.world;
    const online = [...database.workers.rows.values()].filter(({ state }) => state === 'online');
    const attempts = [...database.attempts.rows.values()];
    const tasks = [...database.tasks.rows.values()].filter(({ jobId }) => jobId === job.id);
    return tasks.some((task) => {
      if (!task.waiting || task.role === 'audit') return false;
      const family = tasks.filter(({ rootId, id }) => rootId === task.rootId && id !== task.id);
      const siblings = attempts.filter(({ taskId, state, reason }) =>
        job.verify.method !== 'none' && reason !== 'void' && family.some(({ id }) => id === taskId) &&
        ['leased', 'running', 'reported', 'accepted', 'rejected', 'disputed'].includes(state)); // prettier-ignore
      const queued = {
        id: task.id,
        fence: task.fence,
        priority: task.priority,
        needs: job.needs,
        family: null,
        runtimeClass: task.runtimeClass,
        maxGpuAsk: job.maxGpuAsk,
        maxCpuAsk: job.maxCpuAsk,
        excluded: [...task.excluded, ...siblings.map(({ workerId }) => workerId)],
        excludedOperators: [],
        preferred: null,
      };
      return suitable(queued, online.map(openWorkerOf)).suitable.length === 0;
    });
  }

  hasOpenJobs(): boolean {
    return [...this.world.database.jobs.rows.values()].some(
      ({ state }) => !isFinal(JOB_TRANSITIONS, state),
    );
  }

  /** Whether nothing is left to do for any job that has ended. */
  isSettled(): boolean {
    const { attempts, jobEnds, trail, places } = this.world.database;
    const isLive = [...attempts.rows.values()].some(
      (one) => one.live && jobEnds.rows.has(one.jobId),
    );
    return !isLive && this.held() === this.openHolds() && places.rows.size === trail.rows.size;
  }

  /** What must hold when faults have stopped and time enough has passed. */
  atEnd(): void {
    const { database, clients } = this.world;
    for (const job of this.stuck())
      this.broken('every job ends (G1, G3)', `${job.id} is ${job.state}`);
    for (const client of clients)
      if (!client.isDone) this.broken('a submitter is answered (G1)', client.name);
    this.money();
    this.results();
    this.trailAtEnd(database);
  }

  private money(): void {
    const { accounts, entries, jobs, charges, verdicts } = this.world.database;
    const sums = new Map<string, bigint>();
    let total = 0n;
    for (const { postings } of entries.rows.values())
      for (const { owner, bucket, amount } of postings) {
        sums.set(`${owner}:${bucket}`, (sums.get(`${owner}:${bucket}`) ?? 0n) + amount);
        total += amount;
      }
    if (total !== 0n) this.broken('postings sum to zero (G8)', String(total));
    for (const [name, { balance }] of accounts.rows)
      if (balance !== (sums.get(name) ?? 0n))
        this.broken('a balance is the sum of its postings (G9)', name);
    if (this.held() !== this.openHolds())
      this.broken(
        'nothing is held for a job that has ended (G9)',
        `${this.held()} instead of ${this.openHolds()}`,
      );
    for (const { attemptId, payer } of verdicts.rows.values()) {
      const isPaid = charges.rows.has(attemptId);
      if (isPaid !== (payer !== 'nobody'))
        this.broken('one charge an accepted attempt (G9)', `${attemptId} for ${payer}`);
      if (this.booked(attemptId, ['charge', 'check']) > 1)
        this.broken('one charge an accepted attempt (G9)', attemptId);
      if (this.booked(attemptId, ['refund']) > 1)
        this.broken('a charge is refunded once (G9)', attemptId);
    }
    for (const job of jobs.rows.values())
      if (this.charged(job.id) > job.hold)
        this.broken('a price is never more than what was held (G9)', job.id);
  }

  /** How many entries of these kinds there are about something, whatever they are filed under. */
  private booked(ref: string, kinds: readonly string[]): number {
    return [...this.world.database.entries.rows.values()].filter(
      (entry) => entry.ref === ref && kinds.includes(entry.kind),
    ).length;
  }

  private held(): bigint {
    return [...this.world.database.accounts.rows.values()]
      .filter(({ bucket }) => bucket === 'held')
      .reduce((sum, { balance }) => sum + balance, 0n);
  }

  /** What jobs that have not ended may still cost. */
  private openHolds(): bigint {
    const { jobs, jobEnds } = this.world.database;
    return [...jobs.rows.values()]
      .filter(({ id }) => !jobEnds.rows.has(id))
      .reduce((sum, { id, hold }) => sum + hold - this.charged(id), 0n);
  }

  private charged(jobId: JobId): bigint {
    return [...this.world.database.charges.rows.values()]
      .filter((one) => one.jobId === jobId && one.payer === 'submitter' && !one.refunded)
      .reduce((sum, { price }) => sum + price, 0n);
  }

  private results(): void {
    const { tasks, jobs } = this.world.database;
    for (const task of tasks.rows.values()) {
      const accepted = this.acceptedOf(task.id);
      if (accepted.length > 1) this.broken('a task has one effective result (G4)', task.id);
      if (jobs.rows.get(task.jobId)?.state === 'succeeded' && task.role === 'primary' && task.state !== 'succeeded')
        this.broken('a job succeeds with all its tasks (G1)', task.id);
    }
  } // prettier-ignore

  /** Attempts of a task whose results count; what started from something wrong does not. */
  private acceptedOf(taskId: string): Rows.AttemptRow[] {
    return [...this.world.database.attempts.rows.values()].filter((one) =>
      one.taskId === taskId && one.state === 'accepted' && one.reason !== 'void'); // prettier-ignore
  }

  private trailAtEnd({ trail, places, sequencer }: MemoryDatabase): void {
    if (places.rows.size !== trail.rows.size)
      this.broken('every event has a place (G15)', `${places.rows.size} of ${trail.rows.size}`);
    const inOrder = [...trail.rows.values()]
      .map((event) => ({ event, place: places.rows.get(String(event.id)) ?? -1 }))
      .sort((a, b) => a.place - b.place);
    if (inOrder.some(({ place }, i) => place !== i))
      this.broken('places have no gap (G15)', String(inOrder.length));
    const start = { size: 0, chain: Buffer.alloc(32), frontier: Buffer.alloc(0) };
    const { head } = chainBatch(start, Buffer.concat(inOrder.map(({ event }) => event.digest)));
    if (sequencer.rows.get('only')?.chain.equals(head.chain) !== true)
      this.broken('the chain verifies (G15)', String(head.size));
  }
}

function isOf<R>(change: Change, table: Table<R>): change is Change & Change<R> {
  return change.table === (table as unknown);
}
