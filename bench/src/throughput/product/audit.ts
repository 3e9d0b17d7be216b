import type { JobView } from '@tidemill/protocol';
import { query } from '../bench-server.js';
import type { WorkerTally } from '../workers/simulated-worker.js';
import { request, type Session } from './api.js';

export interface AuditOptions {
  readonly databaseUrl: string;
  readonly session: Session;
  /** Jobs that were accepted, warm-up included. */
  readonly jobs: number;
  readonly tally: WorkerTally;
}

/** Checks that every job went the whole road exactly once. @throws Error that says all that is wrong: such figures are worth nothing */
export async function audit(options: AuditOptions): Promise<void> {
  const wrong = [...ofWorkers(options), ...(await ofJobs(options)), ...(await ofLedger(options))];
  if (wrong.length > 0)
    throw new Error(`the jobs did not all go the road once: ${wrong.join('; ')}`);
}

function* ofWorkers({ jobs, tally }: AuditOptions): Iterable<string> {
  if (tally.started !== jobs) yield `workers started ${tally.started} attempts for ${jobs} jobs`;
  if (tally.stored !== jobs) yield `workers had ${tally.stored} receipts stored for ${jobs} jobs`;
  if (tally.faults.length > 0)
    yield `workers saw ${tally.faults.length} faults, such as ${tally.faults[0]}`;
}

/** As the submitter sees it. */
async function ofJobs({ session, jobs }: AuditOptions): Promise<string[]> {
  const states = new Map<string, number>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: JobView[]; nextCursor: string | null } = await request(
      session,
      'GET',
      `/v1/jobs?limit=200${after}`,
    );
    for (const { state } of page.items) states.set(state, (states.get(state) ?? 0) + 1);
    cursor = page.nextCursor;
  }
  if (states.size === 1 && states.get('succeeded') === jobs) return [];
  return [`of ${jobs} jobs the API shows ${JSON.stringify(Object.fromEntries(states))}`];
}

/** As the rows have it. Each statement gives the number of rows that should not be so. */
async function ofLedger({ databaseUrl, jobs }: AuditOptions): Promise<string[]> {
  const wrong: string[] = [];
  for (const [what, sql] of Object.entries(MUST_BE_ZERO)) {
    const [row] = await query(databaseUrl, sql, sql.includes('$1') ? [jobs] : []);
    if (Number(row?.['wrong']) !== 0) wrong.push(`${what}: ${String(row?.['wrong'])}`);
  }
  return wrong;
}

const MUST_BE_ZERO = {
  'tasks more or fewer than jobs': 'SELECT count(*) - $1 AS wrong FROM tasks',
  'tasks without exactly one attempt, accepted on one stored receipt and charged once': `
    SELECT count(*) AS wrong FROM (
      SELECT task.id
      FROM tasks AS task
      LEFT JOIN attempts AS attempt ON attempt.task_id = task.id
      LEFT JOIN receipts AS receipt ON receipt.attempt_id = attempt.id
      LEFT JOIN verdicts AS verdict ON verdict.attempt_id = attempt.id
      LEFT JOIN charges AS charge ON charge.attempt_id = attempt.id
      GROUP BY task.id
      HAVING count(*) <> 1
        OR count(*) FILTER (WHERE attempt.state = 'accepted' AND verdict.verdict = 'accepted'
                              AND receipt.attempt_id IS NOT NULL AND charge.attempt_id IS NOT NULL) <> 1
    ) AS task`,
  'receipts that were refused': 'SELECT count(*) AS wrong FROM receipts_refused',
  'ledger entries that do not sum to zero': `
    SELECT count(*) AS wrong FROM (
      SELECT entry_id FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0
    ) AS entry`,
  'balances that are not the sum of their postings': `
    SELECT count(*) AS wrong FROM ledger_accounts AS account
    WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM ledger_postings WHERE account_id = account.id)`,
  'base units in all balances together': 'SELECT sum(balance) AS wrong FROM ledger_accounts',
  'base units still held': `SELECT sum(balance) AS wrong FROM ledger_accounts WHERE bucket = 'held'`,
  'base units charged but not booked to workers and fees, or the other way round': `
    SELECT (SELECT coalesce(sum(price), 0) FROM charges)
         - (SELECT coalesce(sum(balance), 0) FROM ledger_accounts WHERE bucket IN ('pending', 'earned', 'fees')) AS wrong`,
};
