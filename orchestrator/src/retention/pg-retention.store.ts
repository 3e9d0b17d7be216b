import { Injectable } from '@nestjs/common';
import { Db } from '../platform/db/db.js';
import { RetentionStore, type Batch } from './retention.store.js';

/** The functions of migrations 0080 and 0081. */
@Injectable()
export class PgRetentionStore extends RetentionStore {
  constructor(private readonly db: Db) {
    super();
  }

  async forgetJobs(keepMs: number, after: string, most: number): Promise<Batch> {
    const [row] = await this.db.query<Batch>(
      `SELECT looked, forgotten, last FROM forget_jobs($1 * interval '1 millisecond', $2, $3)`,
      [keepMs, after, most],
    );
    return row ?? { looked: 0, forgotten: 0, last: after };
  }

  async forgetRefusedReceipts(keepMs: number, most: number): Promise<number> {
    const [row] = await this.db.query<{ forgotten: number }>(
      `SELECT forget_refused_receipts($1 * interval '1 millisecond', $2) AS forgotten`,
      [keepMs, most],
    );
    return row?.forgotten ?? 0;
  }

  async tendLogs(keepMs: number, daysAhead: number): Promise<{ made: number; dropped: number }> {
    const [row] = await this.db.query<{ made: number; dropped: number }>(
      `SELECT made, dropped FROM tend_attempt_logs($1 * interval '1 millisecond', $2)`,
      [keepMs, daysAhead],
    );
    return row ?? { made: 0, dropped: 0 };
  }

  async refreshStatistics(): Promise<number> {
    const [row] = await this.db.query<{ refreshed: number }>(
      'SELECT refresh_statistics() AS refreshed',
    );
    return row?.refreshed ?? 0;
  }
}
