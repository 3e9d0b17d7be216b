import { Db, type Tx } from '../../platform/db/db.js';
import {
  SerializationError,
  type Client,
  type MemoryDatabase,
  MemoryTx,
} from './memory-database.js';

/** As often as PostgreSQL's adapter does. */
const MAX_TRIES = 4;

/** One client's way to the memory database. */
export class MemoryDb extends Db {
  constructor(
    private readonly database: MemoryDatabase,
    private readonly client: Client,
  ) {
    super();
  }

  query(): never {
    throw new Error('memory knows no SQL');
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.once(work);
      } catch (cause) {
        if (tries === MAX_TRIES || !(cause instanceof SerializationError)) throw cause;
      }
    }
  }

  private async once<T>(work: (tx: MemoryTx) => Promise<T>): Promise<T> {
    const tx = this.database.begin(this.client);
    try {
      const result = await work(tx);
      await tx.commit();
      return result;
    } catch (cause) {
      tx.rollback();
      throw cause;
    }
  }
}

/** Runs a store's statements in the caller's transaction, or in one of their own when the caller has none. */
export function within<T>(on: Tx, work: (tx: MemoryTx) => Promise<T>): Promise<T> {
  if (on instanceof MemoryTx) return work(on);
  if (on instanceof Db) return on.transaction((tx) => work(tx as MemoryTx));
  throw new Error('a memory store was given a transaction of another database');
}

/** No locks. */
export const NONE = (): string[] => [];

/** Locks of rows, in order of their keys. */
export const rowsOf = (table: string, keys: Iterable<string>): string[] =>
  [...new Set(keys)].sort().map((key) => `${table}:${key}`);
