import { Injectable } from '@nestjs/common';
import { CLOSE, type WorkerId } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { Loops } from '../platform/loop.js';
import { Wakeups } from '../platform/wakeups.js';
import { Sessions } from './sessions.js';

/** A lost wake-up costs no more than this. */
const EVERY_MS = 2_000;

/** Workers whose key the operator has revoked: their sockets are closed, and their tokens open nothing. */
@Injectable()
export class Suspensions {
  private ids: ReadonlySet<WorkerId> = new Set();

  constructor(
    private readonly db: Db,
    private readonly sessions: Sessions,
    loops: Loops,
    wakeups: Wakeups,
  ) {
    const handle = loops.add({
      name: 'gateway.suspensions',
      everyMs: EVERY_MS,
      turn: () => this.turn(),
    });
    wakeups.on('workers', () => handle.wake());
  }

  has(id: WorkerId): boolean {
    return this.ids.has(id);
  }

  private async turn(): Promise<void> {
    const rows = await this.db.query<{ id: WorkerId }>(
      `SELECT id FROM workers WHERE state = 'suspended'`,
    );
    this.ids = new Set(rows.map(({ id }) => id));
    for (const id of this.ids) this.sessions.of(id)?.close(CLOSE.suspended);
  }
}
