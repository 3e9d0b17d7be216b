import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/db/db.js';
import { MemoryBillingStore } from './memory/memory-billing.store.js';
import type { MemoryDatabase } from './memory/memory-database.js';
import { MemoryDb } from './memory/memory-db.js';
import { MemoryFleetStore } from './memory/memory-fleet.store.js';
import { MemoryJobsStore } from './memory/memory-jobs.store.js';
import { MemoryLeasesStore } from './memory/memory-leases.store.js';
import { MemoryLedgerBook } from './memory/memory-ledger-book.store.js';
import { MemoryStageCursors, MemoryTrailWriter } from './memory/memory-platform.js';
import { MemoryReceiptsStore } from './memory/memory-receipts.store.js';
import { MemoryVerdictsStore } from './memory/memory-verdicts.store.js';
import type { Process } from './kernel/process.js';

/** The adapters that an orchestrator is wired with. A planted bug replaces one of them. */
export interface Parts {
  db(database: MemoryDatabase, process: Process): MemoryDb;
  jobs(): MemoryJobsStore;
  fleet(clock: Clock): MemoryFleetStore;
  leases(): MemoryLeasesStore;
  receipts(): MemoryReceiptsStore;
  verdicts(): MemoryVerdictsStore;
  billing(): MemoryBillingStore;
  book(db: Db): MemoryLedgerBook;
  trail(clock: Clock, db: MemoryDb): MemoryTrailWriter;
  cursors(db: MemoryDb): MemoryStageCursors;
}

export const SOUND_PARTS: Parts = {
  db: (database, process) => new MemoryDb(database, process),
  jobs: () => new MemoryJobsStore(),
  fleet: () => new MemoryFleetStore(),
  leases: () => new MemoryLeasesStore(),
  receipts: () => new MemoryReceiptsStore(),
  verdicts: () => new MemoryVerdictsStore(),
  billing: () => new MemoryBillingStore(),
  book: (db) => new MemoryLedgerBook(db),
  trail: (clock) => new MemoryTrailWriter(clock),
  cursors: () => new MemoryStageCursors(),
};
