import { Injectable } from '@nestjs/common';
import type {
  AccountId,
  JobId,
  LedgerEntryView,
  ProvenAttempt,
  Provenance,
  ProvenTask,
  SignedReceipt,
} from '@tidemill/protocol';
import { Db, type Tx } from '../platform/db/db.js';

export interface ProvenJobRow {
  readonly id: JobId;
  readonly account_id: AccountId;
  readonly kind: string;
  readonly state: Provenance['job']['state'];
  readonly hold: bigint;
  readonly verify: string;
  readonly spec: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly attempts: number;
}

export interface ProvenTaskRow {
  readonly id: ProvenTask['id'];
  readonly idx: number;
  readonly role: ProvenTask['role'];
  readonly root_id: ProvenTask['rootId'];
  readonly depends_on: ProvenTask['dependsOn'];
  readonly state: ProvenTask['state'];
  readonly payload: string;
  readonly payload_digest: ProvenTask['payloadDigest'];
  readonly inputs: string;
}

export interface ProvenAttemptRow {
  readonly id: ProvenAttempt['id'];
  readonly task_id: ProvenAttempt['taskId'];
  readonly worker_id: ProvenAttempt['workerId'];
  /** The worker's key now, and the one it had when it signed. */
  readonly public_key: SignedReceipt['publicKey'];
  readonly receipt_key: SignedReceipt['publicKey'];
  readonly number: number;
  readonly fence: number;
  readonly state: ProvenAttempt['state'];
  readonly reason: string | null;
  readonly runtime_class: string | null;
  readonly hash: Buffer | null;
  readonly text: string | null;
  readonly path: Buffer | null;
  readonly batch_index: number | null;
  readonly batch_size: number | null;
  readonly signature: Buffer | null;
  readonly verdict: NonNullable<ProvenAttempt['verdict']>['verdict'] | null;
  readonly verdict_reason: string | null;
  readonly verdict_payer: NonNullable<ProvenAttempt['verdict']>['payer'] | null;
  readonly price: bigint | null;
  readonly fee: bigint | null;
  readonly payer: NonNullable<ProvenAttempt['charge']>['payer'] | null;
  readonly refunded: boolean | null;
  readonly outputs: { name: string; digest: ProvenTask['payloadDigest']; sizeBytes: number }[];
}

export interface ProvenEventRow {
  readonly id: bigint;
  readonly at_ms: bigint;
  readonly kind: string;
  readonly subject: string;
  readonly body: string;
  readonly digest: Buffer;
  readonly chain_hash: Buffer | null;
  /** Null while the sequencer has not given it its place. */
  readonly place: bigint | null;
}

export interface ProvenRows {
  readonly job: ProvenJobRow;
  readonly tasks: readonly ProvenTaskRow[];
  readonly attempts: readonly ProvenAttemptRow[];
  readonly events: readonly ProvenEventRow[];
  readonly ledger: readonly LedgerEntryView[];
}

/** Reads what is kept of a job, all of it as of one moment. */
@Injectable()
export class ProvenanceRows {
  constructor(private readonly db: Db) {}

  /** The job's row alone, with how many attempts it had; null for jobs of others. */
  async job(accountId: AccountId, id: JobId, on: Tx = this.db): Promise<ProvenJobRow | null> {
    const [row] = await on.query<ProvenJobRow>(JOB, [id, accountId]);
    return row ?? null;
  }

  /** Everything of a job of the account; null for jobs of others. */
  read(accountId: AccountId, id: JobId): Promise<ProvenRows | null> {
    return this.db.transaction(async (tx) => {
      // A charge without its event, or the other way round, would look like a lie.
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const job = await this.job(accountId, id, tx);
      if (job === null) return null;
      const tasks = await tx.query<ProvenTaskRow>(TASKS, [id]);
      const attempts = await tx.query<ProvenAttemptRow>(
        `${ATTEMPTS} WHERE attempt.task_id = ANY ($1) ORDER BY attempt.id`,
        [tasks.map((task) => task.id)],
      );
      const events = await tx.query<ProvenEventRow>(EVENTS, [
        id,
        attempts.map((attempt) => attempt.id),
        [
          ...tasks.map((task) => task.id),
          ...attempts.flatMap((attempt) => [attempt.id, attempt.worker_id]),
        ],
      ]);
      const refs = [id, ...attempts.map((attempt) => attempt.id)];
      const ledger = await tx.query<LedgerRow>(LEDGER, [refs]);
      return { job, tasks, attempts, events, ledger: ledger.map(entryView) };
    });
  }

  /** One attempt of a job of the account, with its receipt; null when there is none. */
  async attempt(accountId: AccountId, id: string): Promise<ProvenAttemptRow | null> {
    const [row] = await this.db.query<ProvenAttemptRow>(
      `${ATTEMPTS} JOIN jobs AS job ON job.id = attempt.job_id WHERE attempt.id = $1 AND job.account_id = $2 AND receipt.hash IS NOT NULL`,
      [id, accountId],
    );
    return row ?? null;
  }
}

interface LedgerRow {
  readonly id: bigint;
  readonly at: Date;
  readonly kind: string;
  readonly ref: string;
  readonly postings: LedgerEntryView['postings'];
}

const entryView = ({ id, at, kind, ref, postings }: LedgerRow): LedgerEntryView => ({
  id: String(id),
  at: at.toISOString(),
  kind,
  ref,
  postings,
});

const JOB = `
SELECT id, account_id, kind, state, hold, verify, spec, created_at, finished_at,
  (SELECT count(*) FROM tasks AS task JOIN attempts AS attempt ON attempt.task_id = task.id WHERE task.job_id = jobs.id)::int AS attempts
FROM jobs WHERE id = $1 AND account_id = $2`;

const TASKS = `
SELECT id, idx, role, root_id, depends_on, state, payload, payload_digest, inputs FROM tasks WHERE job_id = $1 ORDER BY idx, id`;

const ATTEMPTS = `
SELECT attempt.id, attempt.task_id, attempt.worker_id, worker.public_key,
  coalesce((
    SELECT retired.public_key FROM retired_worker_keys AS retired
    WHERE retired.worker_id = attempt.worker_id AND retired.retired_at > receipt.received_at ORDER BY retired.retired_at LIMIT 1
  ), worker.public_key) AS receipt_key, attempt.number, attempt.fence, attempt.state, attempt.reason,
  task.runtime_class, receipt.hash, receipt.text, receipt.path, receipt.batch_index, receipt.batch_size, receipt.signature,
  verdict.verdict, verdict.reason AS verdict_reason, verdict.payer AS verdict_payer, charge.price, charge.fee, charge.payer, charge.refunded,
  coalesce((
    SELECT json_agg(json_build_object('name', output.name, 'digest', output.digest, 'sizeBytes', output.size_bytes) ORDER BY output.name)
    FROM task_outputs AS output WHERE output.task_id = attempt.task_id AND output.attempt_id = attempt.id
  ), '[]'::json) AS outputs
FROM attempts AS attempt
JOIN tasks AS task ON task.id = attempt.task_id
JOIN workers AS worker ON worker.id = attempt.worker_id
LEFT JOIN receipts AS receipt ON receipt.attempt_id = attempt.id
LEFT JOIN verdicts AS verdict ON verdict.attempt_id = attempt.id
LEFT JOIN charges AS charge ON charge.attempt_id = attempt.id`;

/** The frequent kinds by the transaction that wrote them, the rare ones by their own index; see migration 0040. */
const EVENTS = `
WITH written (xid, kind, subject) AS (
  SELECT xid, 'job.accepted', id FROM jobs WHERE id = $1
  UNION ALL SELECT xid, 'receipt.stored', attempt_id FROM receipts WHERE attempt_id = ANY ($2)
  UNION ALL SELECT xid, 'verdict.given', attempt_id FROM verdicts WHERE attempt_id = ANY ($2)
  UNION ALL SELECT xid, 'ledger.booked', attempt_id FROM charges WHERE attempt_id = ANY ($2)
), event AS (
  SELECT found.* FROM written CROSS JOIN LATERAL (
    SELECT * FROM trail_events WHERE trail_events.xid = written.xid AND trail_events.kind = written.kind AND trail_events.subject = written.subject OFFSET 0
  ) AS found
  UNION ALL SELECT * FROM trail_events WHERE kind = 'task.placed' AND subject = ANY ($2)
  UNION ALL SELECT * FROM trail_events
    WHERE kind IN ('worker.joined', 'worker.key-changed', 'lease.ended', 'check.ordered', 'check.waived', 'ledger.refunded') AND subject = ANY ($3)
)
SELECT event.id, event.at_ms, event.kind, event.subject, event.body, event.digest, chain.place, chain.chain_hash
FROM event LEFT JOIN trail_chain AS chain ON chain.event_id = event.id ORDER BY chain.place, event.id`;

const LEDGER = `
SELECT entry.id, entry.at, entry.kind, entry.ref,
  jsonb_agg(jsonb_build_object('account', account.owner || ':' || account.bucket, 'amount', posting.amount::text) ORDER BY account.owner, account.bucket) AS postings
FROM ledger_entries AS entry
JOIN ledger_postings AS posting ON posting.account_id = ANY (entry.accounts) AND posting.entry_id = entry.id
JOIN ledger_accounts AS account ON account.id = posting.account_id
WHERE entry.ref = ANY ($1) AND entry.kind <> 'grant' GROUP BY entry.id ORDER BY entry.id`;
