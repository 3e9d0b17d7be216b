import { Injectable } from '@nestjs/common';
import { verifyApplied, type VerifyPlan } from '@tidemill/core/job';
import {
  bytesToHex,
  encodeBase58,
  PROVENANCE_FORMAT,
  TaskPayload,
  type AccountId,
  type AttemptId,
  type CheckpointView,
  type JobId,
  type ProvenAttempt,
  type Provenance,
  type ProvenEvent,
  type ProvenTask,
  type SignedReceipt,
} from '@tidemill/protocol';
import { hash } from 'node:crypto';
import { Config } from '../config/env.js';
import { Db } from '../platform/db/db.js';
import { Absences } from '../platform/http/absences.js';
import { ProblemError } from '../platform/http/problem.js';
import { FreshCheckpoint } from '../trail/fresh-checkpoint.js';
import { inclusionPaths } from '../trail/inclusion-paths.js';
import {
  ProvenanceRows,
  type ProvenAttemptRow,
  type ProvenEventRow,
  type ProvenRows,
  type ProvenTaskRow,
} from './provenance-rows.js';

/** Most attempts in one bundle: each brings a receipt of up to 16 KiB and some four events with their proofs. */
const MAX_ATTEMPTS = 2_000;

/** Events get their places within a second; a checkpoint over them is signed once a second at most. */
const TRIES = 25;
const BETWEEN_TRIES_MS = 200;

/** Puts together what proves a job: everything in it can be checked without asking this orchestrator anything (G18). */
@Injectable()
export class ProvenanceService {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly rows: ProvenanceRows,
    private readonly checkpoint: FreshCheckpoint,
    private readonly absences: Absences,
  ) {}

  /** @throws ProblemError NOT_FOUND, also for jobs of others; FORGOTTEN; PROVENANCE_TOO_LARGE; UNAVAILABLE when the trail stands still */
  async bundle(accountId: AccountId, id: JobId): Promise<Provenance> {
    const job = await this.rows.job(accountId, id);
    if (job === null) throw this.absences.of(id, `There is no job ${id} of yours.`);
    if (job.attempts > MAX_ATTEMPTS) {
      throw new ProblemError(
        'PROVENANCE_TOO_LARGE',
        `The job has ${job.attempts} attempts, a bundle holds ${MAX_ATTEMPTS}.`,
      );
    }
    let rows: ProvenRows | null = null;
    for (let tried = 0; tried < TRIES; tried += 1) {
      // Once every event has its place only a signature over them is waited for.
      if (rows === null || rows.events.some(({ place }) => place === null))
        rows = await this.rows.read(accountId, id);
      const places = rows?.events.map(({ place }) => place) ?? [];
      if (rows !== null && !places.includes(null)) {
        const size = places.reduce((most, place) => Math.max(most, Number(place) + 1), 1);
        const checkpoint = await this.checkpoint.covering(size);
        if (checkpoint !== null) return this.bundleOf(rows, checkpoint);
      }
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
    }
    throw new ProblemError('UNAVAILABLE', 'The events of the job have no signed place yet.', {
      retryAfterS: 5,
    });
  }

  /** The receipt of an attempt at a task of one's own. @throws ProblemError NOT_FOUND */
  async receipt(accountId: AccountId, id: AttemptId): Promise<SignedReceipt> {
    const row = await this.rows.attempt(accountId, id);
    const [receipt] = row === null ? [] : receiptOf(row);
    if (receipt === undefined) {
      throw this.absences.of(id, `There is no receipt of ${id} for a job of yours.`);
    }
    return receipt;
  }

  private async bundleOf(
    { job, tasks, attempts, events, ledger }: ProvenRows,
    checkpoint: CheckpointView,
  ): Promise<Provenance> {
    const paths = await inclusionPaths(
      this.db,
      events.map(({ place }) => Number(place)),
      checkpoint.size,
    );
    const keys = new Map(attempts.map(({ worker_id, public_key }) => [worker_id, public_key]));
    return {
      format: PROVENANCE_FORMAT,
      network: this.config.network,
      job: {
        id: job.id,
        account: job.account_id,
        kind: job.kind,
        state: job.state,
        hold: String(job.hold),
        verify: verifyApplied(JSON.parse(job.verify) as VerifyPlan), // written at acceptance from this type
        createdAt: job.created_at.toISOString(),
        finishedAt: job.finished_at?.toISOString() ?? null,
      },
      spec: {
        text: job.spec,
        digest: `sha256:${hash('sha256', job.spec)}` as ProvenTask['payloadDigest'], // of that form by construction
      },
      tasks: tasks.map(taskOf),
      attempts: attempts.map(attemptOf),
      workers: [...keys]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, publicKey]) => ({ id, publicKey })),
      receipts: attempts.flatMap(receiptOf),
      trail: { checkpoint, events: events.map((event) => eventOf(event, paths)) },
      ledger: [...ledger],
    };
  }
}

function taskOf(row: ProvenTaskRow): ProvenTask {
  const payload = TaskPayload.parse(JSON.parse(row.payload));
  return {
    id: row.id,
    index: row.idx,
    role: row.role,
    rootId: row.root_id,
    dependsOn: row.depends_on,
    state: row.state,
    payload: row.payload,
    payloadDigest: row.payload_digest,
    seed: payload.runtime === 'tfjs' && 'seed' in payload.tfjs ? payload.tfjs.seed : null,
    inputs: JSON.parse(row.inputs) as ProvenTask['inputs'], // written by the stages from this type
  };
}

function attemptOf(row: ProvenAttemptRow): ProvenAttempt {
  const { verdict, price, fee, payer } = row;
  return {
    id: row.id,
    taskId: row.task_id,
    workerId: row.worker_id,
    number: row.number,
    fence: row.fence,
    state: row.state,
    reason: row.reason,
    runtimeClass: row.runtime_class,
    receiptHash: row.hash?.toString('hex') ?? null,
    outputs: row.outputs,
    verdict:
      verdict === null
        ? null
        : { verdict, reason: row.verdict_reason ?? '', payer: row.verdict_payer ?? 'nobody' },
    charge:
      price === null || fee === null || payer === null
        ? null
        : { price: String(price), fee: String(fee), payer, refunded: row.refunded ?? false },
  };
}

function receiptOf(row: ProvenAttemptRow): SignedReceipt[] {
  const { hash: leaf, text, path, batch_index: index, batch_size: size, signature } = row;
  if (leaf === null || text === null || path === null || signature === null) return [];
  return [
    {
      attemptId: row.id,
      workerId: row.worker_id,
      publicKey: row.receipt_key,
      text,
      hash: bytesToHex(leaf),
      batch: {
        index: index ?? 0,
        size: size ?? 1,
        path: Array.from({ length: path.length / 32 }, (_, i) =>
          bytesToHex(path.subarray(i * 32, (i + 1) * 32)),
        ),
        signature: encodeBase58(signature),
      },
    },
  ];
}

function eventOf(row: ProvenEventRow, paths: ReadonlyMap<number, readonly string[]>): ProvenEvent {
  const place = Number(row.place);
  return {
    id: String(row.id),
    place,
    at: new Date(Number(row.at_ms)).toISOString(),
    kind: row.kind,
    subject: row.subject,
    body: row.body,
    digest: bytesToHex(row.digest),
    chain: row.chain_hash === null ? null : bytesToHex(row.chain_hash),
    path: [...(paths.get(place) ?? [])],
  };
}
