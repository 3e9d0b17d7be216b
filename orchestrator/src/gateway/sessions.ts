import { Injectable } from '@nestjs/common';
import { CLOSE, type WorkerId } from '@tidemill/protocol';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import type { Session } from './session.js';

/** Which worker is on which socket of this process; the newer one wins. */
@Injectable()
export class Sessions {
  private readonly byWorker = new Map<WorkerId, Session>();

  /** This process goes away: it takes what its workers still send, and gives them nothing new. */
  isDraining = false;

  constructor(private readonly telemetry: Telemetry) {}

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
