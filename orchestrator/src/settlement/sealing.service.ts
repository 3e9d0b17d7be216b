import { Injectable } from '@nestjs/common';
import { setAside } from '@tidemill/core/ledger';
import { faultOf, isSolvent, NO_TOTALS } from '@tidemill/core/settlement';
import { decodeBase58, type AccountId, type CheckpointView } from '@tidemill/protocol';
import { LedgerBook } from '../accounts/ledger-book.store.js';
import { Config, type SettlementConfig } from '../config/env.js';
import { Db, type Tx } from '../platform/db/db.js';
import { FreshCheckpoint } from '../trail/fresh-checkpoint.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { booksOf } from './chain-books.js';
import { totalsOf, type EpochRow } from './epoch-rows.js';
import { lockOpenEpoch } from './open-epoch.js';
import { Trees } from './trees.js';

/** Rows looked at in one statement. */
const PAGE = 10_000;
/** Without anything new a root is still posted this often: one that is too old frees what is held on chain. */
const QUIET_MS = 24 * 3_600_000;
/** How long an event's place is waited for, and the signature over it, of which there is one a second. */
const TRIES = 30;
const BETWEEN_TRIES_MS = 100;
/** There is no model registry yet. */
const NO_REGISTRY = Buffer.alloc(32);

/** Why an epoch was not sealed. */
type SealRefusal = 'no-chain' | 'under-way' | 'not-due' | 'trail-unsigned';
type Sealed =
  | { readonly ok: true; readonly number: bigint }
  | { readonly ok: false; readonly reason: SealRefusal };

/** Makes the open epoch one that co-signers can attest, and opens the next. */
@Injectable()
export class SealingService {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly book: LedgerBook,
    private readonly trees: Trees,
    private readonly trail: TrailWriter,
    private readonly checkpoints: FreshCheckpoint,
  ) {}

  /** Seals the open epoch when it has lasted as long as the challenge window and there is something new in it. */
  async turn(): Promise<void> {
    await this.seal({ whenDue: true });
  }

  /** Seals the open epoch; only once it is due if so asked. Never while another one is on its way to the chain. */
  async seal({ whenDue }: { readonly whenDue: boolean }): Promise<Sealed> {
    const { settlement } = this.config;
    if (settlement === null) return { ok: false, reason: 'no-chain' };
    if (whenDue && !(await this.isDue(this.db, settlement.epochMinMs)))
      return { ok: false, reason: 'not-due' };
    const signed = await this.signedTrail();
    if (signed === null) return { ok: false, reason: 'trail-unsigned' };
    return this.db.transaction(async (tx): Promise<Sealed> => {
      const epoch = await lockOpenEpoch(tx);
      const underWay = await tx.query(
        `SELECT FROM epochs WHERE state IN ('sealed', 'posted') LIMIT 1`,
      );
      if (underWay.length > 0) return { ok: false, reason: 'under-way' };
      // Another process may have sealed while this one waited for the lock.
      if (whenDue && !(await this.isDue(tx, settlement.epochMinMs)))
        return { ok: false, reason: 'not-due' };
      // What joined since the trail was looked at may not have its place there yet.
      if (!(await isCovered(tx, epoch.number, signed.before)))
        return { ok: false, reason: 'trail-unsigned' };
      await this.write(tx, epoch, settlement, signed.checkpoint);
      return { ok: true, number: epoch.number };
    });
  }

  private async isDue(tx: Tx, minMs: number): Promise<boolean> {
    const [row] = await tx.query<{ due: boolean }>(DUE, [minMs, QUIET_MS]);
    return row?.due ?? false;
  }

  /**
   * A signed checkpoint that has every event of the transactions below one, so that co-signers find in the trail what they are to
   * check; null when that takes too long. Outside of any transaction: one that runs keeps later events from getting their place.
   */
  private async signedTrail(): Promise<{ before: string; checkpoint: CheckpointView } | null> {
    const [now] = await this.db.query<{ before: string }>(NOW);
    if (now === undefined) return null;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const [head] = await this.db.query<{ size: bigint; placed: boolean }>(PLACED, [now.before]);
      const checkpoint =
        head?.placed === true ? await this.checkpoints.covering(Number(head.size)) : null;
      if (checkpoint !== null) return { before: now.before, checkpoint };
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
    }
    return null;
  }

  /**
   * Under the locks of the open epoch and of the chain's books neither totals nor deposits and requests move. Balances do, as jobs
   * come and end, so what of a submitter's is held is worked out by one statement.
   */
  private async write(
    tx: Tx,
    epoch: EpochRow,
    settlement: SettlementConfig,
    checkpoint: CheckpointView,
  ): Promise<void> {
    const totals = totalsOf(epoch);
    await tx.query('SELECT FROM chain_books FOR UPDATE');
    const { seenSlot, ...chain } = await booksOf(tx);
    const before = await this.lastSealed(tx);
    const fault = faultOf(totals, before);
    if (fault !== null) throw new Error(`epoch ${epoch.number} cannot be sealed: ${fault}`);
    if (!isSolvent(totals, chain))
      throw new Error(`epoch ${epoch.number} cannot be sealed: the vault does not cover it`);

    await this.setAsideMore(tx, epoch.number);
    const workers = await this.workerLeaves(tx, epoch.number);
    const submitters = await this.submitterLeaves(tx, epoch.number);
    const trees = await this.trees.build(tx, epoch.number);
    const statement = {
      sealedSlot: seenSlot,
      workerRoot: Buffer.from(trees.workers.tree.root),
      workerDepth: trees.workers.tree.depth,
      submitterRoot: Buffer.from(trees.submitters.tree.root),
      submitterDepth: trees.submitters.tree.depth,
    };
    await tx.query(SEAL, [
      epoch.number,
      Buffer.from(decodeBase58(settlement.network) ?? []),
      Buffer.from(decodeBase58(settlement.program) ?? []),
      statement.sealedSlot,
      statement.workerRoot,
      statement.workerDepth,
      statement.submitterRoot,
      statement.submitterDepth,
      Buffer.from(checkpoint.root, 'hex'),
      checkpoint.size,
      NO_REGISTRY,
    ]);
    await tx.query(OPEN_NEXT, [epoch.number]);
    await this.trail.append(tx, [
      {
        kind: 'epoch.sealed',
        subject: String(epoch.number),
        body: {
          epoch: Number(epoch.number),
          sealedSlot: Number(seenSlot),
          workerRoot: statement.workerRoot.toString('hex'),
          submitterRoot: statement.submitterRoot.toString('hex'),
          trailSize: checkpoint.size,
          charges: Number(epoch.charges),
          leaves: { workers, submitters },
          totals: Object.fromEntries(
            Object.entries(totals).map(([name, amount]) => [name, String(amount)]),
          ),
        },
      },
    ]);
  }

  /** Totals never fall below those that were sealed before, whatever became of them. */
  private async lastSealed(tx: Tx) {
    const [row] = await tx.query<EpochRow>(
      `SELECT * FROM epochs WHERE state <> 'open' ORDER BY number DESC LIMIT 1`,
    );
    return row === undefined ? NO_TOTALS : totalsOf(row);
  }

  /**
   * What came back to submitters since they asked for more than they had is set aside too. The program pays a request as far as the
   * leaf allows, so without this it could pay what is spent meanwhile.
   */
  private async setAsideMore(tx: Tx, number: bigint): Promise<void> {
    await tx.query(LOCK_ASKING);
    const rows = await tx.query<{ account_id: AccountId; more: bigint }>(ASKING);
    await this.book.book(
      tx,
      rows.map(({ account_id, more }) =>
        setAside(`epoch-${number}:${account_id}`, account_id, more),
      ),
    );
  }

  /** Writes the leaves of workers that changed; gives how many. */
  private async workerLeaves(tx: Tx, number: bigint): Promise<number> {
    let count = 0;
    for (let from = 0; ; from += PAGE) {
      const [page] = await tx.query<{ last: number | null }>(
        'SELECT max(index) AS last FROM settlement_workers',
      );
      if ((page?.last ?? -1) < from) return count;
      const changed = await tx.query<{ index: number; payout: string }>(WORKERS, [
        from,
        from + PAGE,
      ]);
      count += changed.length;
      if (changed.length === 0) continue;
      await tx.query(WRITE_WORKERS, [
        number,
        changed.map(({ index }) => index),
        changed.map(({ payout }) => payout),
        changed.map(({ payout }) => bytesOf(payout)),
      ]);
    }
  }

  /** Writes the leaves of submitters that changed; gives how many. */
  private async submitterLeaves(tx: Tx, number: bigint): Promise<number> {
    let count = 0;
    for (let from = 0; ; from += PAGE) {
      const [page] = await tx.query<{ last: number | null }>(
        'SELECT max(index) AS last FROM settlement_submitters',
      );
      if ((page?.last ?? -1) < from) return count;
      const changed = await tx.query<ChangedSubmitter>(SUBMITTERS, [from, from + PAGE]);
      const short = changed.find(({ held }) => held < 0n);
      if (short !== undefined)
        throw new Error(`submitter ${short.index} has ${-short.held} more than was deposited`);
      count += changed.length;
      if (changed.length === 0) continue;
      await tx.query(WRITE_SUBMITTERS, [
        number,
        changed.map(({ index }) => index),
        changed.map(({ wallet }) => bytesOf(wallet)),
        changed.map(({ spent }) => spent),
        changed.map(({ refunded }) => refunded),
        changed.map(({ held }) => held),
      ]);
    }
  }
}

async function isCovered(tx: Tx, number: bigint, before: string): Promise<boolean> {
  const late = await tx.query('SELECT FROM epochs WHERE number = $1 AND joined_before > $2::xid8', [
    number,
    before,
  ]);
  return late.length === 0;
}

interface ChangedSubmitter {
  readonly index: number;
  readonly wallet: string;
  readonly spent: bigint;
  readonly refunded: bigint;
  readonly held: bigint;
}

function bytesOf(address: string): Buffer {
  const bytes = decodeBase58(address);
  if (bytes?.length !== 32) throw new Error(`${address} is no address of 32 bytes`);
  return Buffer.from(bytes);
}

/** It has lasted long enough, none is under way, and somebody waits for it: for a claim, for a withdrawal, or for any root at all. */
const DUE = `
SELECT open.opened_at <= clock_timestamp() - $1 * interval '1 millisecond'
  AND NOT EXISTS (SELECT FROM epochs WHERE state IN ('sealed', 'posted'))
  AND (
    open.charges > 0 OR EXISTS (SELECT FROM settlement_submitters WHERE requested > 0)
    OR open.earned + open.slashed > 0 AND NOT EXISTS (SELECT FROM epochs WHERE state = 'final' AND number = open.number - 1)
    OR EXISTS (SELECT FROM epochs WHERE state = 'final') AND open.opened_at <= clock_timestamp() - $2 * interval '1 millisecond'
  ) AS due
FROM epochs AS open WHERE open.state = 'open'`;

const NOW = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS before';

const PLACED = `
SELECT head.size, NOT EXISTS (
  SELECT FROM trail_events AS event WHERE (event.xid, event.id) > (head.last_xid, head.last_id) AND event.xid < $1::xid8
) AS placed FROM trail_sequencer AS head`;

/** Their own numbers in order, as all who book lock them. */
const LOCK_ASKING = `
SELECT FROM ledger_accounts WHERE owner IN (SELECT account_id FROM settlement_submitters WHERE requested > 0)
ORDER BY id FOR NO KEY UPDATE`;

const ASKING = `
SELECT submitter.account_id, least(submitter.requested - coalesce(aside.balance, 0), available.balance)::bigint AS more
FROM settlement_submitters AS submitter
JOIN ledger_accounts AS available ON available.owner = submitter.account_id AND available.bucket = 'available'
LEFT JOIN ledger_accounts AS aside ON aside.owner = submitter.account_id AND aside.bucket = 'withdrawing'
WHERE submitter.requested > coalesce(aside.balance, 0) AND available.balance > 0`;

const WORKERS = `
SELECT live.index, worker.payout FROM settlement_workers AS live JOIN workers AS worker ON worker.id = live.worker_id
WHERE live.index >= $1 AND live.index < $2
  AND (live.sealed_payee IS DISTINCT FROM worker.payout OR live.sealed_earned IS DISTINCT FROM live.earned
    OR live.sealed_slashed IS DISTINCT FROM live.slashed)`;

const WRITE_WORKERS = `
WITH changed AS (
  SELECT * FROM unnest($2::integer[], $3::text[], $4::bytea[]) AS changed (index, payout, payee)
), sealed AS (
  UPDATE settlement_workers AS live SET sealed_payee = changed.payout, sealed_earned = live.earned, sealed_slashed = live.slashed
  FROM changed WHERE live.index = changed.index RETURNING live.index, changed.payee, live.earned, live.slashed
)
INSERT INTO worker_leaves (index, epoch, payee, earned, slashed) SELECT index, $1, payee, earned, slashed FROM sealed`;

/** What was deposited and neither went out nor was spent, less what the submitter may take: it is held for its jobs. */
const SUBMITTERS = `
SELECT * FROM (
  SELECT live.index, live.wallet, live.spent, live.refunded, live.sealed_spent, live.sealed_refunded, live.sealed_held,
    (live.deposited - live.withdrawn - live.spent + live.refunded - coalesce((
      SELECT sum(balance) FROM ledger_accounts WHERE owner = live.account_id AND bucket IN ('available', 'withdrawing')
    ), 0))::bigint AS held
  FROM settlement_submitters AS live WHERE live.index >= $1 AND live.index < $2
) AS live
WHERE live.sealed_spent IS DISTINCT FROM live.spent OR live.sealed_refunded IS DISTINCT FROM live.refunded
  OR live.sealed_held IS DISTINCT FROM live.held`;

const WRITE_SUBMITTERS = `
WITH changed AS (
  SELECT * FROM unnest($2::integer[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[]) AS changed (index, wallet, spent, refunded, held)
), sealed AS (
  UPDATE settlement_submitters AS live SET sealed_spent = changed.spent, sealed_refunded = changed.refunded, sealed_held = changed.held
  FROM changed WHERE live.index = changed.index
)
INSERT INTO submitter_leaves (index, epoch, wallet, spent, refunded, held) SELECT index, $1, wallet, spent, refunded, held FROM changed`;

const SEAL = `
UPDATE epochs SET state = 'sealed', sealed_at = clock_timestamp(), network = $2, program = $3, sealed_slot = $4, worker_root = $5,
  worker_depth = $6, submitter_root = $7, submitter_depth = $8, trail_root = $9, trail_size = $10, registry_root = $11
WHERE number = $1`;

const OPEN_NEXT = `
INSERT INTO epochs (number, spent, earned, slashed, refunded, fees, fees_given, dust)
SELECT number + 1, spent, earned, slashed, refunded, fees, fees_given, dust FROM epochs WHERE number = $1`;
