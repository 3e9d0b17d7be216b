import { Injectable } from '@nestjs/common';
import type { AttemptId, FromWorker, LeaseRef, ReceiptAck, SignedReceipts, WorkerId } from '@tidemill/protocol';
import { FleetService } from '../fleet/fleet.service.js';
import { Batcher } from '../platform/batcher.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import { LeasesService } from '../scheduling/leases.service.js';
import type { Held } from '../scheduling/leases.store.js';
import { ReportsStore } from './reports.store.js';
import type { Session } from './session.js';

type InSession = Exclude<FromWorker, { type: 'login' }>;
/** What a later stage does with a worker's signed receipts. */
export type ReceiptsHandler = (workerId: WorkerId, publicKey: Uint8Array | null, batch: SignedReceipts) => Promise<ReceiptAck[]>;

const MAX_BATCH = 2_000;
/** Heartbeats in a row that do not name an active attempt before it is given up. */
const MISSED_HEARTBEATS = 2;

/** Routes a decoded message to the stage that owns it. */
@Injectable()
export class Inbound {
  private receipts: ReceiptsHandler = () => Promise.resolve([]);
  private readonly accepting: Batcher<Held, boolean>;

  constructor(
    private readonly fleet: FleetService,
    private readonly leases: LeasesService,
    private readonly reports: ReportsStore,
    private readonly telemetry: Telemetry,
  ) {
    this.accepting = new Batcher(async (held) => {
      const active = await leases.activate(held);
      return held.map(({ attemptId }) => active.has(attemptId));
    }, MAX_BATCH);
  }

  /** The receipts stage comes after this one, so it registers itself. */
  onReceipts(handler: ReceiptsHandler): void {
    this.receipts = handler;
  }

  async handle(session: Session, workerId: WorkerId, message: InSession): Promise<void> {
    switch (message.type) {
      case 'heartbeat':
        return this.heartbeat(session, workerId, message.seq, message.attempts);
      case 'accept':
        return this.accept(session, workerId, message.leases);
      case 'refuse':
        return this.leases.refuse(workerId, message.leases, message.reason);
      case 'receipts':
        return this.report(session, workerId, message);
      case 'progress':
        return this.reports.progress(workerId, message.items);
      case 'logs':
        return this.reports.logs(workerId, message.items);
      case 'checkpoint':
        return this.reports.checkpoints(workerId, message.items);
      case 'profile':
        return this.fleet.updateProfile(workerId, session.id, message.profile);
      case 'drain':
        return this.fleet.drain(workerId);
    }
  }

  private heartbeat(session: Session, workerId: WorkerId, seq: number, attempts: readonly AttemptId[]): Promise<void> {
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

  private async accept(session: Session, workerId: WorkerId, leases: readonly LeaseRef[]): Promise<void> {
    // Counted before the commit: the receipt may be here sooner than the answer of the database.
    for (const { attemptId } of leases) session.active.set(attemptId, 0);
    const stands = await Promise.all(leases.map(({ attemptId, fence }) => this.accepting.add({ workerId, attemptId, fence })));
    const gone = leases.filter((_, i) => stands[i] !== true).map(({ attemptId }) => attemptId);
    for (const id of gone) session.active.delete(id);
    session.send({ type: 'active', attempts: leases.filter((_, i) => stands[i] === true).map(({ attemptId }) => attemptId), gone });
  }

  private async report(session: Session, workerId: WorkerId, batch: SignedReceipts): Promise<void> {
    const acks = await this.receipts(workerId, session.publicKey, { receipts: batch.receipts, signature: batch.signature });
    for (const { attemptId } of acks) session.active.delete(attemptId);
    if (acks.length > 0) session.send({ type: 'receipts.ack', receipts: acks });
  }
}
