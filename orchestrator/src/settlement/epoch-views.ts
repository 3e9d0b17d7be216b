import { Injectable } from '@nestjs/common';
import type { EpochState } from '@tidemill/core/settlement';
import type { EpochView } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { epochView, type EpochRow, type SaidRow } from './epoch-rows.js';

/** Epochs as they are shown. A network without a chain has none. */
@Injectable()
export class EpochViews {
  constructor(private readonly db: Db) {}

  /** @throws ProblemError NOT_FOUND */
  async one(number: number): Promise<EpochView> {
    const [view] = await this.views(
      await this.db.query<EpochRow>('SELECT * FROM epochs WHERE number = $1', [number]),
    );
    if (view === undefined) throw new ProblemError('NOT_FOUND', `There is no epoch ${number}.`);
    return view;
  }

  /** Newest first. @throws ProblemError CURSOR_INVALID */
  async list(filter: {
    readonly state?: readonly EpochState[] | undefined;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<Page<EpochView>> {
    const before = positionOf('epochs', filter.cursor, /^\d{1,16}$/);
    const rows = await this.db.query<EpochRow>(LIST, [
      before?.[0] ?? null,
      filter.state ?? null,
      filter.limit + 1,
    ]);
    return pageOf('epochs', await this.views(rows), filter.limit, ({ number }) => String(number));
  }

  private async views(rows: readonly EpochRow[]): Promise<EpochView[]> {
    const said = await this.db.query<SaidRow>(SAID, [rows.map(({ number }) => number)]);
    return rows.map((row) => epochView(row, said));
  }
}

const LIST = `
SELECT * FROM epochs WHERE ($1::bigint IS NULL OR number < $1) AND ($2::text[] IS NULL OR state = ANY ($2))
ORDER BY number DESC LIMIT $3`;

const SAID = `
SELECT epoch, cosigner, signature, NULL AS reason, at FROM epoch_attestations WHERE epoch = ANY ($1::bigint[])
UNION ALL SELECT epoch, cosigner, signature, reason, at FROM epoch_objections WHERE epoch = ANY ($1::bigint[])
ORDER BY at, cosigner`;
