import { grant } from '@tidemill/core/ledger';
import { makeId, type AccountId } from '@tidemill/protocol';
import { DatabaseUnavailableError } from '../platform/db/db.js';
import type { Channel } from '../platform/wakeups.js';
import { startChaos } from './chaos.js';
import { Client } from './client.js';
import { FaultCounter } from './fault-counter.js';
import { Invariants } from './invariants.js';
import { Kernel } from './kernel/kernel.js';
import { Process, START_MS } from './kernel/process.js';
import { Random } from './kernel/random.js';
import {
  MemoryDatabase,
  SerializationError,
  type Client as DbClient,
} from './memory/memory-database.js';
import { Network } from './network.js';
import { startOrchestrator } from './orchestrator-process.js';
import type { Parts } from './parts.js';
import { NO_FAULTS, type Scenario } from './scenario.js';
import { OrchestratorSlot, type Surroundings } from './surroundings.js';
import { SimulatedWorker, startWorker } from './worker-process.js';

const STATEMENT_MS = { least: 0.1, most: 2 };
const WAKE_MS = 3;
const RESTART_MS = { least: 100, most: 2_500 };
/** How long the database holds what a client that crashed had open; longer where nobody tells it that the client is gone. */
const GONE_MS = { least: 0, most: 2_000 };
const UNHEARD_MS = 30_000;
const UNHEARD_SHARE = 0.1;
const CREDIT = 1_000_000_000_000n;

/** Everything of one simulation: processes, network and database, and what is known of what happened. */
export class World implements Surroundings {
  readonly kernel = new Kernel();
  readonly faults = new FaultCounter();
  readonly randomIds: Random;
  readonly randomWork: Random;
  readonly network: Network;
  readonly database: MemoryDatabase;
  readonly invariants: Invariants;
  readonly orchestrators: OrchestratorSlot[];
  readonly workers: SimulatedWorker[];
  readonly accounts: AccountId[];
  readonly clients: Client[];
  private readonly randomPace: Random;
  private readonly randomFaults: Random;
  /** Faults stop at some time. */
  isCalm = false;

  constructor(
    readonly scenario: Scenario,
    private readonly parts: Parts,
  ) {
    const { seed, faults } = scenario;
    this.randomIds = new Random(seed, 'ids');
    this.randomWork = new Random(seed, 'work');
    this.randomPace = new Random(seed, 'pace');
    this.randomFaults = new Random(seed, 'faults');
    this.network = new Network(this.kernel, new Random(seed, 'network'), this.faults, faults);
    this.database = new MemoryDatabase(
      {
        nowMs: () => START_MS + this.kernel.nowMs,
        step: (client, label) => this.kernel.step(this.statementMs(), processOf(client), label),
      },
      {
        commit: () => this.fateOfCommit(),
        breaks: () => this.isHit('brokenStatements'),
      },
    );
    this.invariants = new Invariants(this);
    this.database.observe = (changes, xid) => this.invariants.committed(changes, xid);
    this.orchestrators = Array.from(
      { length: scenario.orchestrators },
      (_, i) => new OrchestratorSlot(new Process(`o${i}`, this.kernel)),
    );
    this.workers = scenario.workers.map(
      (plan, i) => new SimulatedWorker(new Process(`w${i}`, this.kernel), plan, i),
    );
    this.accounts = Array.from({ length: scenario.accounts }, () =>
      makeId('account', START_MS, this.randomIds.bytes(10)),
    );
    this.clients = scenario.jobs.map(
      (plan, i) => new Client(this, new Process(`c${i}`, this.kernel), plan, i),
    );
  }

  start(): void {
    this.giveCredit();
    for (const slot of this.orchestrators) this.bringUp(slot.process);
    for (const worker of this.workers) this.bringUp(worker.process);
    for (const client of this.clients) client.start();
    this.kernel.beforeEvent = (process) => this.survives(process);
    startChaos(this, new Random(this.scenario.seed, 'chaos'));
  }

  /** Faults stop: what is down comes up, what waits goes on, and the network is whole. Clocks stay wrong. */
  calm(): void {
    this.isCalm = true;
    this.network.faults = NO_FAULTS;
    this.network.joinAll();
    for (const process of this.processes()) process.pausedUntilMs = 0;
    this.kernel.resume();
  }

  processes(): Process[] {
    return [...this.orchestrators, ...this.workers].map(({ process }) => process);
  }

  /** Ends a process in the middle of whatever it does, and starts it again some time later. */
  crash(process: Process): void {
    process.life += 1;
    process.isUp = false;
    process.pausedUntilMs = 0;
    this.faults.note('crash');
    this.kernel.note('crash', process.name);
    const slot = this.orchestrators.find((one) => one.process === process);
    const worker = this.workers.find((one) => one.process === process);
    if (slot !== undefined) {
      slot.running = null;
      for (const connection of slot.connections.splice(0)) connection.endToWorker(1006, '');
    }
    for (const connection of worker?.connections.splice(0) ?? []) connection.endToOrchestrator();
    this.abandon(process);
    const { least, most } = RESTART_MS;
    const delayMs = this.randomFaults.between(least, most);
    this.kernel.after(delayMs, null, 'restart', () => this.bringUp(process));
  }

  /** The database ends what a client that has gone, or is silent for too long, had open. */
  abandon(process: Process, afterMs?: number): void {
    const { randomFaults } = this;
    for (const tx of this.database.openOf(process)) {
      const isUnheard = randomFaults.chance(UNHEARD_SHARE);
      const delayMs =
        afterMs ?? (isUnheard ? UNHEARD_MS : randomFaults.between(GONE_MS.least, GONE_MS.most));
      this.kernel.after(delayMs, null, 'abandon', () => tx.rollback());
    }
  }

  wake(channels: readonly Channel[]): void {
    for (const { process } of this.orchestrators) {
      if (this.isHit('lostWakeups')) continue;
      const delayMs = this.randomPace.between(0, WAKE_MS);
      this.kernel.after(delayMs, process, 'wake', () => {
        const running = this.orchestrators.find((slot) => slot.process === process)?.running;
        for (const channel of channels) running?.wakeups.local(channel);
      });
    }
  }

  /** A log that only hears of what must not happen: an error that no fault explains. */
  logOf(process: Process): object {
    const ignore = (): void => undefined;
    return {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (fields: { readonly err?: unknown }, message: string) => {
        if (fields.err === undefined || isExplained(fields.err)) return;
        const { err } = fields;
        const text = err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(err);
        this.invariants.broken('no unexpected error', `${process.name}: ${message}: ${text}`);
      },
    };
  }

  private bringUp(process: Process): void {
    process.isUp = true;
    const slot = this.orchestrators.find((one) => one.process === process);
    const worker = this.workers.find((one) => one.process === process);
    this.kernel.after(0, process, 'start', () => {
      if (slot !== undefined) slot.running = startOrchestrator(this, process, this.parts);
      if (worker !== undefined) startWorker(this, worker);
    });
  }

  private survives(process: Process): boolean {
    if (this.isCalm || !this.randomFaults.chance(this.scenario.faults.crash)) return true;
    if (!this.processes().includes(process)) return true;
    this.crash(process);
    return false;
  }

  private fateOfCommit() {
    if (this.isHit('refusedCommits')) return 'refuse' as const;
    if (!this.isHit('unknownCommits')) return 'commit' as const;
    return this.randomFaults.chance(0.5) ? ('lose' as const) : ('apply unsaid' as const);
  }

  private isHit(
    name:
      'refusedCommits' | 'unknownCommits' | 'brokenStatements' | 'slowStatements' | 'lostWakeups',
  ): boolean {
    if (this.isCalm || !this.randomFaults.chance(this.scenario.faults[name])) return false;
    this.faults.note(name);
    return true;
  }

  private statementMs(): number {
    const { least, most } = STATEMENT_MS;
    if (!this.isHit('slowStatements')) return this.randomPace.between(least, most);
    return this.randomPace.between(most, this.scenario.faults.slowMs);
  }

  private giveCredit(): void {
    const { accounts, entries } = this.database;
    for (const account of this.accounts) {
      const entry = grant('credit', account, CREDIT);
      entries.rows.set(`${account} grant`, { ...entry, ref: account, atMs: START_MS });
      for (const { owner, bucket, amount } of entry.postings)
        accounts.rows.set(`${owner}:${bucket}`, { owner, bucket, balance: amount });
    }
  }
}

const processOf = (client: DbClient): Process => client as Process; // only processes are clients here

const isExplained = (cause: unknown): boolean =>
  cause instanceof DatabaseUnavailableError || cause instanceof SerializationError;
