import { Injectable } from '@nestjs/common';
import { CLOSE, type WorkerId } from '@tidemill/protocol';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import type { Session } from './session.js';

/** Sockets of one address; a site with more machines uses more than one. */
const MAX_PER_ADDRESS = 32;

/** Which worker is on which socket of this process; the newer one wins. */
@Injectable()
export class Sessions {
  private readonly byWorker = new Map<WorkerId, Session>();
  private readonly perAddress = new Map<string, number>();

  constructor(private readonly telemetry: Telemetry) {}

  /** Counts a new socket; false when its address has too many. */
  admit(address: string): boolean {
    const open = this.perAddress.get(address) ?? 0;
    if (open >= MAX_PER_ADDRESS) return false;
    this.perAddress.set(address, open + 1);
    return true;
  }

  release(address: string): void {
    const open = (this.perAddress.get(address) ?? 1) - 1;
    if (open === 0) this.perAddress.delete(address);
    else this.perAddress.set(address, open);
  }

  bind(workerId: WorkerId, session: Session): void {
    const older = this.byWorker.get(workerId);
    if (older !== undefined && older !== session) older.close(CLOSE.replaced);
    session.workerId = workerId;
    this.byWorker.set(workerId, session);
    this.telemetry.workersConnected.set(this.byWorker.size);
  }

  /** Forgets a session; false when a newer one has taken its place. */
  unbind(session: Session): boolean {
    if (session.workerId === null || this.byWorker.get(session.workerId) !== session) return false;
    this.byWorker.delete(session.workerId);
    this.telemetry.workersConnected.set(this.byWorker.size);
    return true;
  }

  of(workerId: WorkerId): Session | undefined {
    return this.byWorker.get(workerId);
  }

  all(): IterableIterator<Session> {
    return this.byWorker.values();
  }

  workerIds(): WorkerId[] {
    return [...this.byWorker.keys()];
  }
}
