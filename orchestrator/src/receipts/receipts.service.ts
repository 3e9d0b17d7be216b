import { Inject, Injectable } from '@nestjs/common';
import { startFrom } from '@tidemill/core/tfjs';
import {
  TaskPayload,
  TFJS_OUTPUTS,
  type AttemptId,
  type Digest,
  type InputRef,
  type Receipt,
  type ReceiptAck,
  type SignedReceipts,
  type VerifySignature,
  type WorkerId,
} from '@tidemill/protocol';
import type { z } from 'zod';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import { Config } from '../config/env.js';
import { Inbound } from '../gateway/inbound.js';
import { Batcher } from '../platform/batcher.js';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { faultPoint } from '../platform/fault-points.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { Wakeups } from '../platform/wakeups.js';
import { LeasesService } from '../scheduling/leases.service.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { checkReceipts, resultOf, type SoundReceipt } from './check-receipts.js';
import { ReceiptsStore, type RefusedReceipt, type Taken } from './receipts.store.js';

const MAX_BATCH = 1_000;

type Arrived =
  | { readonly sound: SoundReceipt; readonly code: null }
  | {
      readonly sound: null;
      readonly code: string;
      readonly attemptId: AttemptId;
      readonly workerId: WorkerId;
      readonly hash: Uint8Array;
      readonly text: string;
    };

/** Takes what workers signed: each receipt once, and only under the fence that stands. */
@Injectable()
export class ReceiptsService {
  private readonly arriving: Batcher<Arrived, ReceiptAck['status']>;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: Db,
    private readonly store: ReceiptsStore,
    private readonly leases: LeasesService,
    private readonly artifacts: ArtifactsService,
    private readonly trail: TrailWriter,
    private readonly wakeups: Wakeups,
    private readonly telemetry: Telemetry,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
    private readonly inbound: Inbound,
  ) {
    this.arriving = new Batcher(async (arrived) => {
      const statuses = await this.db.transaction(async (tx) => {
        const settled = await this.settle(tx, arrived);
        faultPoint('receipts.settle.before-commit');
        return settled;
      });
      faultPoint('receipts.settle.after-commit');
      return statuses;
    }, MAX_BATCH);
    inbound.onReceipts((workerId, publicKey, batch) => this.receive(workerId, publicKey, batch));
  }

  private async receive(
    workerId: WorkerId,
    publicKey: Uint8Array | null,
    batch: SignedReceipts,
  ): Promise<ReceiptAck[]> {
    const here = {
      network: this.config.network,
      audience: this.config.audience,
      nowMs: this.clock.nowMs(),
    };
    const checked = checkReceipts(batch, { workerId, publicKey }, here, this.verify);
    for (const one of checked) if (one.ok) this.inbound.reported(one.sound.receipt.attemptId);
    const missing = await this.missingOutputs(
      workerId,
      checked.flatMap((one) => (one.ok ? [one.sound.receipt] : [])),
    );
    const acks = checked.map(async (one): Promise<ReceiptAck | null> => {
      const receipt = one.ok ? one.sound.receipt : one.receipt;
      if (receipt === null) return null; // it names no attempt, so there is nothing to acknowledge
      const { attemptId } = receipt;
      const code = one.ok ? (missing.has(receipt) ? 'OUTPUT_MISSING' : null) : one.code;
      const status = await this.arriving.add(
        one.ok && code === null
          ? { sound: one.sound, code: null }
          : {
              sound: null,
              code: code ?? '',
              attemptId,
              workerId,
              hash: one.ok ? one.sound.hash : one.hash,
              text: one.ok ? one.sound.text : one.text,
            },
      );
      this.telemetry.receipts.inc({ outcome: status });
      return code === null ? { attemptId, status } : { attemptId, status, code };
    });
    return (await Promise.all(acks)).filter((ack) => ack !== null);
  }

  /** Receipts that name outputs their worker has not stored. */
  private async missingOutputs(
    workerId: WorkerId,
    receipts: readonly Receipt[],
  ): Promise<ReadonlySet<Receipt>> {
    const named = receipts.flatMap(({ outputs }) => outputs);
    if (named.length === 0) return new Set();
    const stored = await this.artifacts.stat(named.map(({ digest }) => digest));
    const caller = { kind: 'worker', workerId } as const;
    const missing = new Set<Receipt>();
    for (const receipt of receipts) {
      for (const { digest, sizeBytes } of receipt.outputs) {
        const there =
          stored.get(digest)?.sizeBytes === sizeBytes &&
          (await this.artifacts.mayRead(caller, digest));
        if (!there) missing.add(receipt);
      }
    }
    return missing;
  }

  private async settle(tx: Tx, arrived: readonly Arrived[]): Promise<ReceiptAck['status'][]> {
    const results = arrived.flatMap(({ sound }) =>
      sound !== null && !isWorkerFault(sound.receipt) ? [sound] : [],
    );
    // Of several receipts of one attempt that arrive together the first one may count; two would be stored twice.
    const firsts = new Map(
      [...results].reverse().map((sound) => [sound.receipt.attemptId as string, sound]),
    );
    const taken = new Map(
      (await this.store.take(tx, [...firsts.values()])).map((one) => [
        one.attemptId as string,
        one,
      ]),
    );
    const counts = (sound: SoundReceipt): boolean =>
      firsts.get(sound.receipt.attemptId) === sound && taken.has(sound.receipt.attemptId);
    await this.follow(tx, results.filter(counts), taken);
    await this.workerFaults(tx, arrived);

    const passed = results.filter((sound) => !counts(sound));
    const known = passed.length === 0 ? new Set<string>() : await this.store.known(tx, passed);
    const statuses = arrived.map(({ sound }): ReceiptAck['status'] => {
      if (sound === null) return 'refused';
      if (isWorkerFault(sound.receipt) || counts(sound)) return 'stored';
      return known.has(Buffer.from(sound.hash).toString('hex')) ? 'duplicate' : 'stale';
    });
    await this.keepEvidence(tx, arrived, statuses);
    await this.giveUp(tx, arrived, statuses);
    if (taken.size > 0) await this.wakeups.notify(tx, 'receipts', 'tasks', 'job');
    return statuses;
  }

  /** Everything that a receipt that counts brings with it: its outputs, its trail event, and the task that waited for its checkpoint. */
  private async follow(
    tx: Tx,
    results: readonly SoundReceipt[],
    taken: ReadonlyMap<string, Taken>,
  ): Promise<void> {
    const counting = results.flatMap((sound) => {
      const one = taken.get(sound.receipt.attemptId);
      return one === undefined ? [] : [{ sound, one }];
    });
    // A result that may be checked is committed to the trail before anybody draws or compares; the others go in with their verdict.
    const checked = counting.filter(({ one }) => one.isChecked);
    await this.trail.append(
      tx,
      checked.map(({ sound: { receipt, hash } }) => ({
        kind: 'receipt.stored',
        subject: receipt.attemptId,
        body: JSON.stringify({
          attempt: receipt.attemptId,
          task: receipt.taskId,
          worker: receipt.workerId,
          fence: receipt.fence,
          receipt: Buffer.from(hash).toString('hex'),
          outcome: receipt.outcome,
          result: resultOf(receipt),
        }),
      })),
    );
    const withOutputs = counting.filter(({ sound }) => sound.receipt.outputs.length > 0);
    if (withOutputs.length === 0) return;
    await this.store.addOutputs(
      tx,
      withOutputs.flatMap(({ sound: { receipt } }) =>
        receipt.outputs.map((output) => ({
          taskId: receipt.taskId,
          attemptId: receipt.attemptId,
          ...output,
        })),
      ),
    );
    for (const { sound } of withOutputs) {
      const { outputs, workerId } = sound.receipt;
      const digests = outputs.map(({ digest }) => digest);
      await this.artifacts.retain(tx, digests, workerId); // until the verdict, which gives them to the job
    }
    await this.readyDependents(
      tx,
      withOutputs.map(({ sound }) => sound.receipt),
    );
  }

  /** A segment starts from the checkpoint before it as soon as that is reported, on the same worker if possible. */
  private async readyDependents(tx: Tx, receipts: readonly Receipt[]): Promise<void> {
    const checkpoints = new Map(
      receipts.flatMap(({ taskId, workerId, outputs }) => {
        const output = outputs.find(({ name }) => name === TFJS_OUTPUTS.checkpoint);
        return output === undefined ? [] : [[taskId, { workerId, output }] as const];
      }),
    );
    if (checkpoints.size === 0) return;
    const dependents = await this.store.dependents(tx, [...checkpoints.keys()]);
    const ready = dependents.flatMap(({ taskId, dependsOn, payload, inputs }) => {
      const from = checkpoints.get(dependsOn);
      return from === undefined
        ? []
        : [{ taskId, preferred: from.workerId, ...startingFrom(payload, inputs, from.output) }];
    });
    if (ready.length > 0) await this.store.makeReady(tx, ready);
  }

  /** The machine failed, not the job: the attempt ends without a result and the task goes elsewhere. */
  private async workerFaults(tx: Tx, arrived: readonly Arrived[]): Promise<void> {
    for (const { sound } of arrived) {
      if (sound === null || !isWorkerFault(sound.receipt)) continue;
      const { attemptId, workerId, failure } = sound.receipt;
      await this.leases.end(
        tx,
        [{ attemptId, end: 'worker_fault', detail: failure?.code ?? null }],
        workerId,
      );
    }
  }

  /** A worker is done with what it reported, and is not going to report it again: what does not count goes to another one. */
  private async giveUp(
    tx: Tx,
    arrived: readonly Arrived[],
    statuses: readonly ReceiptAck['status'][],
  ): Promise<void> {
    const unanswered = arrived.flatMap((one, i) => {
      const status = statuses[i];
      if (status !== 'refused' && status !== 'stale') return [];
      const { attemptId, workerId } = one.sound === null ? one : one.sound.receipt;
      return [{ attemptId, workerId, code: one.code ?? 'RECEIPT_STALE' }];
    });
    if (unanswered.length === 0) return;
    for (const { attemptId, workerId, code } of await this.store.stillOpen(tx, unanswered)) {
      await this.leases.end(tx, [{ attemptId, end: 'worker_fault', detail: code }], workerId);
    }
  }

  private async keepEvidence(
    tx: Tx,
    arrived: readonly Arrived[],
    statuses: readonly ReceiptAck['status'][],
  ): Promise<void> {
    const refused = arrived.flatMap((one, i): RefusedReceipt[] => {
      if (one.sound === null) return [one];
      const { receipt, hash, text } = one.sound;
      const code = isWorkerFault(receipt)
        ? 'WORKER_FAULT'
        : statuses[i] === 'stale'
          ? 'STALE_FENCE'
          : null;
      return code === null
        ? []
        : [{ attemptId: receipt.attemptId, workerId: receipt.workerId, hash, text, code }];
    });
    if (refused.length > 0) await this.store.keepRefused(tx, refused);
  }
}

const isWorkerFault = ({ failure }: Receipt): boolean => failure?.fault === 'worker';

/** A task's payload and inputs with the checkpoint it starts from. */
export function startingFrom(
  payload: string,
  inputs: string,
  checkpoint: { readonly digest: Digest; readonly sizeBytes: number },
): { readonly payload: string; readonly inputs: string } {
  const parsed = TaskPayload.parse(JSON.parse(payload));
  if (parsed.runtime !== 'tfjs' || parsed.tfjs.type !== 'tfjs.train') return { payload, inputs };
  const before = parsed.tfjs.checkpoint;
  const others = (JSON.parse(inputs) as z.infer<typeof InputRef>[]).filter(
    ({ digest }) => digest !== before,
  ); // written at acceptance
  return {
    payload: JSON.stringify({ runtime: 'tfjs', tfjs: startFrom(parsed.tfjs, checkpoint.digest) }),
    inputs: JSON.stringify([
      ...others,
      { digest: checkpoint.digest, sizeBytes: checkpoint.sizeBytes },
    ]),
  };
}
