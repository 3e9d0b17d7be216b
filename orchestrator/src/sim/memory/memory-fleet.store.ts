import type { SessionId, WorkerId, WorkerProfile, WorkerView } from '@tidemill/protocol';
import { FleetStore, type Heard, type Joining } from '../../fleet/fleet.store.js';
import type { Tx } from '../../platform/db/db.js';
import type { MemoryTx } from './memory-database.js';
import { NONE, rowsOf, within } from './memory-db.js';
import type { WorkerRow } from './rows.js';

const PRESENT = ['online', 'draining'];

/** Workers as the stages need them; nobody looks at them or suspends one here. */
export class MemoryFleetStore extends FleetStore {
  join(on: Tx, { id, publicKey, session, profile, leaseMs }: Joining) {
    return within(on, (tx) => {
      const { workers, pace } = tx.database;
      const known = () => tx.all(workers).find((worker) => worker.publicKey === publicKey);
      function* locks() {
        yield `worker_keys:${publicKey}`;
        const worker = known();
        if (worker !== undefined) yield `workers:${worker.id}`;
      }
      return tx.statement('fleet.join', locks, () => {
        const worker = known();
        const now = { session, profile, leaseUntilMs: pace.nowMs() + leaseMs };
        if (worker === undefined) {
          const counts = { accepted: 0, rejected: 0, failed: 0, lost: 0 };
          tx.insert(workers, id, { id, publicKey, state: 'online', revision: 1, ...now, ...counts });
          return { id, isNew: true, state: 'online' as const };
        }
        const state = worker.state === 'suspended' ? ('suspended' as const) : ('online' as const);
        tx.put(workers, worker.id, { ...worker, ...now, state, revision: worker.revision + 1 });
        return { id: worker.id, isNew: false, state };
      });
    }); // prettier-ignore
  }

  updateProfile(on: Tx, id: WorkerId, session: SessionId, profile: WorkerProfile): Promise<void> {
    return this.change(on, 'fleet.updateProfile', [id], (worker) =>
      worker.session === session ? { ...worker, profile, revision: worker.revision + 1 } : null,
    ).then(() => undefined);
  }

  renew(on: Tx, heard: readonly Heard[], leaseMs: number): Promise<readonly WorkerId[]> {
    const byId = new Map(heard.map((one) => [one.id, one]));
    return this.change(on, 'fleet.renew', [...byId.keys()], (worker, tx) => {
      const one = byId.get(worker.id);
      if (one === undefined || !this.mayRenew(worker, one.session)) return null;
      return { ...worker, leaseUntilMs: tx.database.pace.nowMs() + leaseMs - one.agoMs };
    });
  }

  sessions(on: Tx, ids: readonly WorkerId[]): Promise<ReadonlyMap<WorkerId, SessionId | null>> {
    return within(on, (tx) =>
      tx.statement('fleet.sessions', NONE, () =>
        new Map(ids.flatMap((id) => {
          const worker = tx.get(tx.database.workers, id);
          return worker === undefined ? [] : [[id, worker.session] as const];
        })),
      ),
    ); // prettier-ignore
  }

  shorten(on: Tx, id: WorkerId, session: SessionId, leaseMs: number): Promise<void> {
    return this.change(on, 'fleet.shorten', [id], (worker, tx) =>
      worker.session === session
        ? {
            ...worker,
            leaseUntilMs: Math.min(worker.leaseUntilMs, tx.database.pace.nowMs() + leaseMs),
          }
        : null,
    ).then(() => undefined);
  }

  markLost(on: Tx, limit: number): Promise<readonly WorkerId[]> {
    return within(on, (tx) => {
      const { workers } = tx.database;
      const silent = () =>
        tx
          .all(workers)
          .filter(
            ({ state, leaseUntilMs }) =>
              PRESENT.includes(state) && leaseUntilMs < this.sweepsAtMs(tx),
          )
          .map(({ id }) => id)
          .sort()
          .slice(0, limit);
      // Rows that another transaction has are left for the next sweep.
      const free = function* () {
        for (const name of rowsOf('workers', silent()))
          if (tx.database.tryLock(name, tx) === null) yield name;
      };
      const taken: string[] = [];
      function* locks() {
        for (const name of free()) {
          taken.push(name);
          yield name;
        }
      }
      return tx.statement('fleet.markLost', locks, () =>
        silent().filter((id) => {
          const worker = tx.get(workers, id);
          if (worker === undefined || !taken.includes(`workers:${id}`)) return false;
          tx.put(workers, id, { ...worker, state: 'lost', revision: worker.revision + 1, session: null });
          return true;
        }),
      ); // prettier-ignore
    });
  }

  freshTerms(on: Tx, leaseMs: number): Promise<void> {
    return within(on, async (tx) => {
      const present = tx
        .all(tx.database.workers)
        .filter(({ state }) => PRESENT.includes(state))
        .map(({ id }) => id);
      await this.change(tx, 'fleet.freshTerms', present, (worker) =>
        PRESENT.includes(worker.state)
          ? {
              ...worker,
              leaseUntilMs: Math.max(worker.leaseUntilMs, tx.database.pace.nowMs() + leaseMs),
            }
          : null,
      );
    });
  }

  setState(on: Tx, id: WorkerId, state: WorkerView['state']): Promise<boolean> {
    return this.change(on, 'fleet.setState', [id], (worker) => ({
      ...worker,
      state: worker.state === 'suspended' ? worker.state : state,
      revision: worker.revision + 1,
    })).then((changed) => changed.length > 0);
  }

  suspend = (): Promise<null> => Promise.resolve(null);
  views = (): Promise<WorkerView[]> => Promise.resolve([]);
  list = (): Promise<WorkerView[]> => Promise.resolve([]);

  /** A worker that was lost has to log in again, and a session that was replaced speaks for nobody. */
  protected mayRenew(worker: WorkerRow, session: SessionId): boolean {
    return worker.session === session && worker.state !== 'lost';
  }

  /** Terms run on the database's clock. */
  protected sweepsAtMs(tx: MemoryTx): number {
    return tx.database.pace.nowMs();
  }

  private change(
    on: Tx,
    label: string,
    ids: readonly WorkerId[],
    next: (worker: WorkerRow, tx: MemoryTx) => WorkerRow | null,
  ): Promise<WorkerId[]> {
    return within(on, (tx) => {
      const { workers } = tx.database;
      return tx.statement(
        label,
        () => rowsOf('workers', ids),
        () =>
          ids.filter((id) => {
            const worker = tx.get(workers, id);
            const changed = worker === undefined ? null : next(worker, tx);
            if (changed !== null) tx.put(workers, id, changed);
            return changed !== null;
          }),
      );
    });
  }
}
