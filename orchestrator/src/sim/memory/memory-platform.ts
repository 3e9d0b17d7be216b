import type { Tx } from '../../platform/db/db.js';
import { StageCursors, type Window } from '../../platform/db/stage-cursors.js';
import { Wakeups, type Channel } from '../../platform/wakeups.js';
import { TrailWriter, type TrailRows } from '../../trail/trail.writer.js';
import type { MemoryTx } from './memory-database.js';
import { within } from './memory-db.js';

export class MemoryTrailWriter extends TrailWriter {
  protected insert(on: Tx, rows: TrailRows): Promise<void> {
    return within(
      on,
      (tx) =>
      tx.statement('trail.insert', () => [], () => insertEvents(tx, rows)), // prettier-ignore
    );
  }
}

function insertEvents(tx: MemoryTx, { atMs, kinds, subjects, bodies, digests }: TrailRows): void {
  const { trail } = tx.database;
  kinds.forEach((kind, i) => {
    const id = tx.database.nextId();
    const [subject = '', body = '', digest = Buffer.alloc(0)] = [subjects[i], bodies[i], digests[i]];
    tx.insert(trail, String(id), { xid: tx.number(), id, atMs, kind, subject, body, digest });
  });
} // prettier-ignore

export class MemoryStageCursors extends StageCursors {
  open(on: Tx, stage: string): Promise<Window> {
    return within(on, (tx) => {
      const { cursors } = tx.database;
      // Its snapshot is taken when it begins; the row is read when nobody else has it, which may be later.
      const to = tx.database.horizon;
      const locks = () => [`stage_cursors:${stage}`];
      return tx.statement('cursors.open', locks, () => {
        const from = tx.get(cursors, stage)?.xid ?? 0;
        return { from: String(from), to: String(Math.max(from, to)) };
      });
    });
  }

  close(on: Tx, stage: string, to: string): Promise<void> {
    return within(on, (tx) =>
      tx.statement('cursors.close', () => [`stage_cursors:${stage}`], () =>
        tx.put(tx.database.cursors, stage, { stage, xid: Number(to) })),
    ); // prettier-ignore
  }
}

/** Wake-ups through the memory database; `deliver` carries them to the processes, or loses them. */
export class MemoryWakeups extends Wakeups {
  constructor(private readonly deliver: (channels: readonly Channel[]) => void) {
    super();
  }

  notify(on: Tx, ...channels: Channel[]): Promise<void> {
    return within(on, (tx) => {
      tx.onCommit(() => this.deliver(channels));
      return Promise.resolve();
    });
  }
}
