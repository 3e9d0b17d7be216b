/** What one batch looked at, and how much of it was forgotten; `last` is where the next one goes on. */
export interface Batch {
  readonly looked: number;
  readonly forgotten: number;
  readonly last: string;
}

/** Forgets what was kept for its time. The rules of what may go are the database's; each call is a transaction of its own. */
export abstract class RetentionStore {
  /** Forgets jobs that ended so long ago, with all their rows: up to `most` of those whose ids come after `after`. */
  abstract forgetJobs(keepMs: number, after: string, most: number): Promise<Batch>;

  /** Forgets receipts that earned nothing, up to `most`; gives how many. */
  abstract forgetRefusedReceipts(keepMs: number, most: number): Promise<number>;

  /** Makes the tables of log lines for the days to come, and drops those of days that are over for so long. */
  abstract tendLogs(keepMs: number, daysAhead: number): Promise<{ made: number; dropped: number }>;

  /** Takes new statistics of tables that have grown tenfold since the last; gives how many. */
  abstract refreshStatistics(): Promise<number>;
}
