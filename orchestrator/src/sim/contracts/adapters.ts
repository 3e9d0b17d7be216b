import type { Clock } from '../../platform/clock.js';
import type { LedgerBook } from '../../accounts/ledger-book.store.js';
import { PgLedgerBook } from '../../accounts/pg-ledger-book.store.js';
import type { Db, Tx } from '../../platform/db/db.js';
import { PgStageCursors } from '../../platform/db/pg-stage-cursors.js';
import type { StageCursors } from '../../platform/db/stage-cursors.js';
import { PgTrailWriter } from '../../trail/pg-trail.writer.js';
import { trailDatabase } from '../../trail/testing/trail-database.js';
import type { TrailWriter } from '../../trail/trail.writer.js';
import { MemoryDatabase } from '../memory/memory-database.js';
import { MemoryDb, within } from '../memory/memory-db.js';
import { MemoryLedgerBook } from '../memory/memory-ledger-book.store.js';
import { MemoryStageCursors, MemoryTrailWriter } from '../memory/memory-platform.js';

/** The stores of one database, and what a contract looks at beside them. */
export interface Adapters {
  readonly db: Db;
  readonly book: LedgerBook;
  readonly cursors: StageCursors;
  readonly trail: TrailWriter;
  /** Gives the transaction a number, as its first write does. */
  number(tx: Tx): Promise<bigint>;
  /** Kinds and subjects of the events that are committed, oldest first. */
  events(): Promise<readonly string[]>;
  drop(): Promise<void>;
}

/** Both ways a store is kept: a contract holds for each, or the simulation proves something about another network. */
export const ADAPTERS = [
  { name: 'PostgreSQL', open: onPostgres },
  { name: 'memory', open: onMemory },
] as const;

async function onPostgres(clock: Clock): Promise<Adapters> {
  const database = await trailDatabase();
  const { app, superuser } = database;
  return {
    db: app,
    book: new PgLedgerBook(app),
    cursors: new PgStageCursors(),
    trail: new PgTrailWriter(clock),
    number: async (tx) => {
      const [row] = await tx.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid', []);
      return BigInt(row?.xid ?? 0);
    },
    events: async () => {
      const rows = await superuser.query<{ kind: string; subject: string }>(
        'SELECT kind, subject FROM trail_events ORDER BY id',
        [],
      );
      return rows.map(({ kind, subject }) => `${kind} ${subject}`);
    },
    drop: () => database.drop(),
  };
}

function onMemory(clock: Clock): Promise<Adapters> {
  const database = new MemoryDatabase({
    nowMs: () => clock.nowMs(),
    step: () => Promise.resolve(),
  });
  const db = new MemoryDb(database, {});
  return Promise.resolve({
    db,
    book: new MemoryLedgerBook(db),
    cursors: new MemoryStageCursors(),
    trail: new MemoryTrailWriter(clock),
    number: (tx) => within(tx, (own) => Promise.resolve(BigInt(own.number()))),
    events: () =>
      Promise.resolve([...database.trail.rows.values()].map((row) => `${row.kind} ${row.subject}`)),
    drop: () => Promise.resolve(),
  });
}
