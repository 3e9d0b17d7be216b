import { Injectable } from '@nestjs/common';
import type {
  AttemptId,
  FromWorker,
  LeaseRef,
  ReceiptAck,
  SignedReceipts,
  WorkerId,
} from '@tidemill/protocol';
import { FleetService } from '../fleet/fleet.service.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { LeasesService } from '../scheduling/leases.service.js';
import { Activations } from './activations.js';
import { ReportsStore } from './reports.store.js';
import type { Session } from './session.js';

type InSession = Exclude<FromWorker, { type: 'login' }>;
/** What a later stage does with a worker's signed receipts. */
export type ReceiptsHandler = (
  workerId: WorkerId,
  publicKey: Uint8Array | null,
  batch: SignedReceipts,
) => Promise<ReceiptAck[]>;

/** Heartbeats in a row that do not name an active attempt before it is given up. */
const MISSED_HEARTBEATS = 2;

/** Routes a decoded message to the stage that owns it. */
@Injectable()
export class Inbound {
  private receipts: ReceiptsHandler = () => Promise.resolve([]);

  constructor(
    private readonly fleet: FleetService,
    private readonly leases: LeasesService,
    private readonly activations: Activations,
    private readonly reports: ReportsStore,
    private readonly telemetry: Telemetry,
  ) {}

  /** The receipts stage comes after this one, so it registers itself. */
  onReceipts(handler: ReceiptsHandler): void {
    this.receipts = handler;
  }

  /** An attempt's receipt is here: it need not be written down as running any more. */
  reported(attemptId: AttemptId): void {
    this.activations.drop(attemptId);
  }

  async handle(session: Session, workerId: WorkerId, message: InSession): Promise<void> {
    switch (message.type) {
      case 'heartbeat':
        return this.heartbeat(session, workerId, message.seq, message.attempts);
      case 'accept':
        return this.accept(session, workerId, message.leases);
      case 'refuse':
        for (const { attemptId } of message.leases) session.offered.delete(attemptId);
        return this.leases.refuse(workerId, message.leases, message.reason);
      case 'receipts':
        // After the lines that came before: those of an attempt that is over are not taken any more.
        await session.soFar;
        return this.report(session, workerId, message);
      case 'progress':
        return this.reports.progress(workerId, message.items);
      case 'logs':
        // Whoever reads on from a line must not find an earlier one added behind it.
        return session.inOrder(() => this.reports.logs(workerId, message.items));
      case 'checkpoint':
        return this.reports.checkpoints(workerId, message.items);
      case 'profile':
        return this.fleet.updateProfile(workerId, session.id, message.profile);
      case 'drain':
        return this.fleet.drain(workerId);
    }
  }

  private heartbeat(
    session: Session,
    workerId: WorkerId,
    seq: number,
    attempts: readonly AttemptId[],
  ): Promise<void> {
    this.telemetry.heartbeats.inc();
    session.sendText(`{"type":"heartbeat.ack","seq":${seq}}`);
    if (session.active.size === 0) return Promise.resolve();
    const named = new Set(attempts);
    const forgotten: AttemptId[] = [];
    for (const [id, missed] of session.active) {
      if (named.has(id)) session.active.set(id, 0);
      else if (missed + 1 < MISSED_HEARTBEATS) session.active.set(id, missed + 1);
      else forgotten.push(id);
    }
    for (const id of forgotten) session.active.delete(id);
    return forgotten.length === 0 ? Promise.resolve() : this.leases.forgotten(workerId, forgotten);
  }

  /** A lease that was offered on this socket is active at once; any other is looked up first. */
  private async accept(
    session: Session,
    workerId: WorkerId,
    leases: readonly LeaseRef[],
  ): Promise<void> {
    const known = leases.filter(({ attemptId, fence }) => session.offered.get(attemptId) === fence);
    const unknown = leases.filter(
      ({ attemptId, fence }) => session.offered.get(attemptId) !== fence,
    );
    for (const { attemptId } of known) {
      session.offered.delete(attemptId);
      session.active.set(attemptId, 0);
    }
    this.activations.add(known.map((lease) => ({ workerId, ...lease })));
    const found =
      unknown.length === 0
        ? new Set()
        : await this.leases.activate(unknown.map((lease) => ({ workerId, agoMs: 0, ...lease })));
    const attempts = leases
      .map(({ attemptId }) => attemptId)
      .filter((id) => found.has(id) || known.some(({ attemptId }) => attemptId === id));
    const gone = unknown.map(({ attemptId }) => attemptId).filter((id) => !found.has(id));
    for (const id of attempts)
      if (!session.active.has(id) && found.has(id)) session.active.set(id, 0);
    session.send({ type: 'active', attempts, gone });
  }

  private async report(session: Session, workerId: WorkerId, batch: SignedReceipts): Promise<void> {
    const acks = await this.receipts(workerId, session.publicKey, {
      receipts: batch.receipts,
      signature: batch.signature,
    });
    for (const { attemptId } of acks) session.active.delete(attemptId);
    if (acks.length > 0) session.send({ type: 'receipts.ack', receipts: acks });
  }
}
