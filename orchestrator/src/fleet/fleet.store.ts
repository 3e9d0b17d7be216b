import type {
  SessionId,
  WorkerFilter,
  WorkerId,
  WorkerProfile,
  WorkerView,
} from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

export interface Joining {
  readonly id: WorkerId;
  readonly publicKey: string;
  readonly session: SessionId;
  readonly profile: WorkerProfile;
  readonly leaseMs: number;
}

export interface Heard {
  readonly id: WorkerId;
  readonly session: SessionId;
  /** How long ago the worker was heard, in milliseconds. */
  readonly agoMs: number;
}

/** Where workers are kept. Terms run on the database's clock: replicas' clocks may differ by minutes. */
export abstract class FleetStore {
  /** Makes the worker of a key, or brings it back with its new profile and session; null when the key was replaced. */
  abstract join(
    tx: Tx,
    joining: Joining,
  ): Promise<{ id: WorkerId; isNew: boolean; state: WorkerView['state'] } | null>;

  abstract updateProfile(
    tx: Tx,
    id: WorkerId,
    session: SessionId,
    profile: WorkerProfile,
  ): Promise<void>;

  /** Renews the terms of workers that were heard; gives those whose session is still theirs. */
  abstract renew(tx: Tx, heard: readonly Heard[], leaseMs: number): Promise<readonly WorkerId[]>;

  /** Which session each of these workers has; null for one whose term ended. */
  abstract sessions(
    tx: Tx,
    ids: readonly WorkerId[],
  ): Promise<ReadonlyMap<WorkerId, SessionId | null>>;

  /** Shortens a term to `leaseMs` from now, if the session is still the worker's. */
  abstract shorten(tx: Tx, id: WorkerId, session: SessionId, leaseMs: number): Promise<void>;

  /** Marks workers whose term is over as lost. */
  abstract markLost(tx: Tx, limit: number): Promise<readonly WorkerId[]>;

  /** Gives every worker a fresh term, after an absence of this process. */
  abstract freshTerms(tx: Tx, leaseMs: number): Promise<void>;

  /** Changes a worker's state, but for one that is suspended; false when there is none. */
  abstract setState(tx: Tx, id: WorkerId, state: WorkerView['state']): Promise<boolean>;

  /** Takes a worker's session from it, or lets it log in again; null when there is none, false when it was so before. */
  abstract suspend(tx: Tx, id: WorkerId, suspended: boolean): Promise<boolean | null>;

  abstract views(tx: Tx, ids: readonly WorkerId[]): Promise<WorkerView[]>;

  /** Workers that fit the filter, in order of id, after one. */
  abstract list(
    tx: Tx,
    filter: Omit<WorkerFilter, 'cursor'>,
    after: string | null,
  ): Promise<WorkerView[]>;
}
