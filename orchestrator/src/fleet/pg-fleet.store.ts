import { Injectable } from '@nestjs/common';
import type {
  SessionId,
  WorkerFilter,
  WorkerId,
  WorkerProfile,
  WorkerView,
} from '@tidemill/protocol';
import { openWorker, type WorkerRow } from '../jobs/worker-rows.js';
import type { Tx } from '../platform/db/db.js';
import { FleetStore, type Heard, type Joining } from './fleet.store.js';

@Injectable()
export class PgFleetStore extends FleetStore {
  async join(tx: Tx, { id, publicKey, session, profile, leaseMs }: Joining) {
    const [row] = await tx.query<{ id: WorkerId; state: WorkerView['state'] }>(JOIN, [
      id,
      publicKey,
      session,
      leaseMs,
      profile.payout ?? publicKey,
      ...profileColumns(profile),
      profile.operator?.publicKey ?? null,
    ]);
    if (row === undefined) return null;
    const isNew = row.id === id;
    // The key may have been replaced while this waited for whoever did so; a new statement sees that.
    if (isNew && (await tx.query(IS_RETIRED, [publicKey])).length > 0) return null;
    return { id: row.id, isNew, state: row.state };
  }

  async updateProfile(
    tx: Tx,
    id: WorkerId,
    session: SessionId,
    profile: WorkerProfile,
  ): Promise<void> {
    await tx.query(UPDATE_PROFILE, [id, session, ...profileColumns(profile)]);
  }

  async renew(tx: Tx, heard: readonly Heard[], leaseMs: number): Promise<readonly WorkerId[]> {
    const rows = await tx.query<{ id: WorkerId }>(
      `UPDATE workers SET last_seen_at = clock_timestamp() - heard.ago * interval '1 millisecond',
         lease_until = clock_timestamp() + ($4 - heard.ago) * interval '1 millisecond'
       FROM unnest($1::text[], $2::text[], $3::double precision[]) AS heard (id, session, ago)
       WHERE workers.id = heard.id AND workers.session_id = heard.session AND workers.state <> 'lost' RETURNING workers.id`,
      [
        heard.map(({ id }) => id),
        heard.map(({ session }) => session),
        heard.map(({ agoMs }) => agoMs),
        leaseMs,
      ],
    );
    return rows.map(({ id }) => id);
  }

  async sessions(
    tx: Tx,
    ids: readonly WorkerId[],
  ): Promise<ReadonlyMap<WorkerId, SessionId | null>> {
    const rows = await tx.query<{ id: WorkerId; session_id: SessionId | null }>(
      'SELECT id, session_id FROM workers WHERE id = ANY ($1)',
      [ids],
    );
    return new Map(rows.map(({ id, session_id }) => [id, session_id]));
  }

  async shorten(tx: Tx, id: WorkerId, session: SessionId, leaseMs: number): Promise<void> {
    await tx.query(
      `UPDATE workers SET lease_until = least(lease_until, clock_timestamp() + $3 * interval '1 millisecond') WHERE id = $1 AND session_id = $2`,
      [id, session, leaseMs],
    );
  }

  async markLost(tx: Tx, limit: number): Promise<readonly WorkerId[]> {
    const rows = await tx.query<{ id: WorkerId }>(
      `UPDATE workers SET state = 'lost', revision = revision + 1, session_id = NULL WHERE id IN (
         SELECT id FROM workers WHERE state IN ('online', 'draining') AND lease_until < clock_timestamp() ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async freshTerms(tx: Tx, leaseMs: number): Promise<void> {
    await tx.query(
      `UPDATE workers SET lease_until = greatest(lease_until, clock_timestamp() + $1 * interval '1 millisecond') WHERE state IN ('online', 'draining')`,
      [leaseMs],
    );
  }

  async setState(tx: Tx, id: WorkerId, state: WorkerView['state']): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE workers SET state = CASE WHEN state = 'suspended' THEN state ELSE $2 END, revision = revision + 1 WHERE id = $1 RETURNING 1`,
      [id, state],
    );
    return rows.length > 0;
  }

  async suspend(tx: Tx, id: WorkerId, suspended: boolean): Promise<boolean | null> {
    const [row] = await tx.query<{ was: boolean }>(
      `SELECT state = 'suspended' AS was FROM workers WHERE id = $1 FOR UPDATE`,
      [id],
    );
    if (row === undefined) return null;
    if (row.was === suspended) return false;
    await tx.query(
      `UPDATE workers SET state = $2, session_id = NULL, revision = revision + 1 WHERE id = $1`,
      [id, suspended ? 'suspended' : 'lost'],
    );
    return true;
  }

  async views(tx: Tx, ids: readonly WorkerId[]): Promise<WorkerView[]> {
    return (await tx.query<ViewRow>(`${VIEWS} WHERE id = ANY ($1) ORDER BY id`, [ids])).map(view);
  }

  async list(
    tx: Tx,
    { state, runtime, name, limit }: Omit<WorkerFilter, 'cursor'>,
    after: string | null,
  ): Promise<WorkerView[]> {
    const rows = await tx.query<ViewRow>(LIST, [
      state ?? null,
      after,
      runtime === undefined ? null : JSON.stringify({ runtimes: [{ name: runtime }] }),
      name ?? null,
      limit,
    ]);
    return rows.map(view);
  }
}

interface ViewRow extends WorkerRow {
  readonly name: string;
  readonly public_key: string;
  readonly state: WorkerView['state'];
  readonly joined_at: Date;
  readonly last_seen_at: Date | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly failed: number;
  readonly lost: number;
  readonly running: number;
  readonly earned: bigint;
  readonly pending: bigint;
}

function view(row: ViewRow): WorkerView {
  const { capabilities, total } = openWorker(row);
  return {
    id: row.id,
    name: row.name,
    publicKey: row.public_key,
    state: row.state,
    capabilities,
    resources: total,
    slots: row.slots,
    asks: { gpuHour: String(row.gpu_ask), cpuHour: String(row.cpu_ask) },
    running: row.running,
    operator: row.operator,
    joinedAt: row.joined_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    earned: String(row.earned),
    pending: String(row.pending),
    results: { accepted: row.accepted, rejected: row.rejected, failed: row.failed, lost: row.lost },
  };
}

function profileColumns({ name, capabilities, resources, slots, asks }: WorkerProfile): unknown[] {
  return [
    name,
    JSON.stringify(capabilities),
    resources.gpuMilli,
    resources.vramMib,
    resources.cpuMilli,
    resources.memoryMib,
    resources.diskMib,
    slots,
    asks.gpuHour,
    asks.cpuHour,
  ];
}

/** The payout address is set when the worker joins; neither a new login nor a new profile changes it. A key that was replaced is nobody's. */
const JOIN = `
INSERT INTO workers (id, public_key, session_id, lease_until, last_seen_at, state, payout, name, capabilities, gpu_milli, vram_mib, cpu_milli,
  memory_mib, disk_mib, slots, gpu_ask, cpu_ask, operator)
SELECT $1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond', clock_timestamp(), 'online', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
WHERE NOT EXISTS (SELECT FROM retired_worker_keys WHERE public_key = $2)
ON CONFLICT (public_key) DO UPDATE SET session_id = excluded.session_id, lease_until = excluded.lease_until, last_seen_at = excluded.last_seen_at,
  state = CASE WHEN workers.state = 'suspended' THEN 'suspended' ELSE 'online' END, revision = workers.revision + 1,
  name = excluded.name, capabilities = excluded.capabilities, gpu_milli = excluded.gpu_milli, vram_mib = excluded.vram_mib,
  cpu_milli = excluded.cpu_milli, memory_mib = excluded.memory_mib, disk_mib = excluded.disk_mib, slots = excluded.slots,
  gpu_ask = excluded.gpu_ask, cpu_ask = excluded.cpu_ask, operator = excluded.operator
RETURNING id, state`;

const IS_RETIRED = 'SELECT 1 FROM retired_worker_keys WHERE public_key = $1';

const UPDATE_PROFILE = `
UPDATE workers SET name = $3, capabilities = $4, gpu_milli = $5, vram_mib = $6, cpu_milli = $7, memory_mib = $8,
  disk_mib = $9, slots = $10, gpu_ask = $11, cpu_ask = $12, revision = revision + 1
WHERE id = $1 AND session_id = $2`;

const VIEWS = `
SELECT worker.*,
  (SELECT count(*) FROM attempts WHERE attempts.live AND attempts.worker_id = worker.id)::int AS running,
  coalesce((SELECT balance FROM ledger_accounts WHERE owner = worker.id AND bucket = 'earned'), 0)::bigint AS earned,
  coalesce((SELECT balance FROM ledger_accounts WHERE owner = worker.id AND bucket = 'pending'), 0)::bigint AS pending
FROM workers AS worker`;

const LIST = `${VIEWS}
WHERE ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::text IS NULL OR id > $2)
  AND ($3::jsonb IS NULL OR capabilities::jsonb @> $3) AND ($4::text IS NULL OR starts_with(name, $4))
ORDER BY id LIMIT $5`;
