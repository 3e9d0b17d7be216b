import type { AccountId, Digest } from '@tidemill/protocol';
import {
  GrantsStore,
  type ArtifactInfo,
  type OwnerRow,
  type Usage,
} from '../../artifacts/grants.store.js';
import type { Grantee, Keeper } from '../../artifacts/owner.js';
import type { Tx } from '../../platform/db/db.js';
import { NONE, within, type MemoryDb } from './memory-db.js';

const notSimulated = (): Promise<never> =>
  Promise.reject(new Error('no artifact expires or is uploaded here'));

/** Rights to artifacts as far as jobs give and ask for them. Bytes, quotas and the ends of rights are not simulated. */
export class MemoryGrantsStore extends GrantsStore {
  constructor(private readonly db: MemoryDb) {
    super();
  }

  find(digests: readonly Digest[], on: Tx = this.db): Promise<ArtifactInfo[]> {
    return within(on, (tx) =>
      tx.statement('grants.find', NONE, () =>
        digests.flatMap((digest) => {
          const row = tx.get(tx.database.artifacts, digest);
          return row === undefined ? [] : [{ ...row, createdAt: new Date(0) }];
        }),
      ),
    );
  }

  findReadable(reader: Keeper, digest: Digest): Promise<ArtifactInfo | null> {
    return within(this.db, (tx) =>
      tx.statement('grants.findReadable', NONE, () => {
        const { artifacts, grants } = tx.database;
        const artifact = tx.get(artifacts, digest);
        const isGiven = tx.get(grants, `${digest} ${reader.kind} ${reader.id}`) !== undefined;
        return artifact === undefined || !isGiven ? null : { ...artifact, createdAt: new Date(0) };
      }),
    );
  }

  readableBy(accountId: AccountId, digests: readonly Digest[], _now: Date, on: Tx = this.db) {
    return within(on, (tx) =>
      tx.statement(
        'grants.readableBy',
        NONE,
        () =>
        digests.filter((digest) =>
          tx.all(tx.database.grants).some((one) => one.digest === digest && one.accountId === accountId)), // prettier-ignore
      ),
    );
  }

  addGrants(on: Tx, digests: readonly Digest[], to: Grantee): Promise<Digest[]> {
    return within(on, (tx) => {
      const { artifacts, grants } = tx.database;
      const name = (digest: Digest): string => `${digest} ${to.kind} ${to.id}`;
      const locks = () => digests.map((digest) => `artifact_grants:${name(digest)}`);
      return tx.statement('grants.add', locks, () =>
        digests.filter((digest) => {
          if (tx.get(artifacts, digest) === undefined) return false;
          const accountId = 'accountId' in to ? to.accountId : null;
          tx.put(grants, name(digest), { digest, ownerKind: to.kind, ownerId: to.id, accountId });
          return true;
        }),
      );
    });
  }

  endGrants(): Promise<void> {
    return Promise.resolve();
  }

  keepGrants(): Promise<void> {
    return Promise.resolve();
  }

  limitGrants(): Promise<void> {
    return Promise.resolve();
  }

  lockUsage = (): Promise<Usage> => notSimulated();
  usage = (): Promise<Usage> => notSimulated();
  storedBy = (): Promise<boolean> => notSimulated();
  addStored = (): Promise<Date> => notSimulated();
  ownersOfEnded = (): Promise<OwnerRow[]> => notSimulated();
  removeStored = (): Promise<Digest[] | null> => notSimulated();
  deleteEnded = (): Promise<Digest[]> => notSimulated();
}
