import type { Tx } from '../../platform/db/db.js';
import { SequencerDb } from '../../platform/db/db.js';
import { chainBatch } from '../../trail/chain-batch.js';
import { Sequencer, type Backlog } from '../../trail/sequencer.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, within, type MemoryDb } from './memory-db.js';
import type { SequencerRow, TrailRow } from './rows.js';

/** The fenced sequencer on memory: what the statements of the other one select, selected here; the chain is the real one. */
export class MemorySequencer extends Sequencer {
  private fence = -1;

  constructor(private readonly memory: MemoryDb) {
    super(noSql());
  }

  override backlog(): Promise<Backlog> {
    return within(this.memory, (tx) =>
      tx.statement('sequencer.backlog', NONE, () => {
        const row = rowOf(tx);
        const [first] = behind(tx, row);
        return {
          oldestAtMs: first?.atMs ?? null,
          settled: first !== undefined && first.xid < tx.database.horizon,
          mine: row.epoch === this.fence,
        };
      }),
    );
  }

  override async claim(): Promise<number> {
    this.fence = await this.inTransaction((tx) =>
      tx.statement('sequencer.claim', LOCK, () => {
        const row = rowOf(tx);
        tx.put(tx.database.sequencer, 'only', { ...row, epoch: row.epoch + 1 });
        return row.epoch + 1;
      }),
    );
    return 0;
  }

  override place(): Promise<number | null> {
    return this.inTransaction((tx) =>
      tx.statement('sequencer.place', LOCK, () => {
        const row = rowOf(tx);
        if (row.epoch !== this.fence) return null;
        const batch = behind(tx, row).filter(({ xid }) => xid < tx.database.horizonBut(tx));
        const last = batch.at(-1);
        if (last === undefined) return 0;
        const digests = Buffer.concat(batch.map(({ digest }) => digest));
        const { head } = chainBatch(row, digests);
        batch.forEach(({ id }, i) => tx.insert(tx.database.places, String(id), row.size + i));
        tx.put(tx.database.sequencer, 'only', {
          ...row,
          ...head,
          lastXid: last.xid,
          lastId: last.id,
        });
        return batch.length;
      }),
    );
  }

  private inTransaction<T>(work: (tx: MemoryTx) => Promise<T>): Promise<T> {
    return this.memory.transaction((tx: Tx) => work(tx as MemoryTx));
  }
}

const LOCK = (): string[] => ['trail_sequencer:only'];

function rowOf(tx: MemoryTx): SequencerRow {
  const row = tx.get(tx.database.sequencer, 'only');
  if (row === undefined) throw new Error('trail_sequencer has no row');
  return row;
}

/** Committed events behind the last one that has a place, in the order of transactions. */
function behind(tx: MemoryTx, { lastXid, lastId }: SequencerRow): TrailRow[] {
  return tx
    .all(tx.database.trail)
    .filter(({ xid, id }) => xid > lastXid || (xid === lastXid && id > lastId))
    .sort((a, b) => a.xid - b.xid || a.id - b.id);
}

/** The other sequencer's database, which nothing here asks. */
function noSql(): SequencerDb {
  class NoSql extends SequencerDb {
    query(): never {
      throw new Error('memory knows no SQL');
    }
    transaction(): never {
      throw new Error('memory knows no SQL');
    }
  }
  return new NoSql();
}
