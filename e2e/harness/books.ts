import { expect } from 'vitest';
import type pg from 'pg';

/** Where rows are read; a transaction that ends with a rollback will do. */
export interface Rows {
  readonly rows: Pick<pg.ClientBase, 'query'>;
}

/** What must hold of the rows at any moment; each query gives the rows that break the rule. */
const RULES = {
  'every entry sums to zero': `
    SELECT entry_id, sum(amount) FROM ledger_postings GROUP BY entry_id HAVING sum(amount) <> 0`,
  'every balance is the sum of its postings': `
    SELECT account.id, account.balance, coalesce(sum(posting.amount), 0) AS posted
    FROM ledger_accounts AS account LEFT JOIN ledger_postings AS posting ON posting.account_id = account.id
    GROUP BY account.id HAVING account.balance <> coalesce(sum(posting.amount), 0)`,
  'a task has at most one accepted result, but for those that were void': `
    SELECT attempt.task_id FROM attempts AS attempt JOIN verdicts AS verdict ON verdict.attempt_id = attempt.id
    WHERE verdict.verdict = 'accepted' AND attempt.reason IS DISTINCT FROM 'void' GROUP BY attempt.task_id HAVING count(*) > 1`,
  'what is charged was accepted': `
    SELECT charge.attempt_id FROM charges AS charge JOIN attempts AS attempt ON attempt.id = charge.attempt_id
    LEFT JOIN verdicts AS verdict ON verdict.attempt_id = charge.attempt_id
    WHERE verdict.verdict IS DISTINCT FROM 'accepted' OR attempt.state <> 'accepted'`,
  'a charge and its ledger entry say the same': `
    SELECT charge.attempt_id FROM charges AS charge
    LEFT JOIN ledger_entries AS entry ON entry.ref = charge.attempt_id AND entry.kind IN ('charge', 'check')
    LEFT JOIN ledger_postings AS posting ON posting.entry_id = entry.id
    LEFT JOIN ledger_accounts AS account ON account.id = posting.account_id AND account.owner = charge.worker_id
    GROUP BY charge.attempt_id, charge.price, charge.fee
    HAVING coalesce(sum(posting.amount) FILTER (WHERE account.id IS NOT NULL), 0) <> charge.price - charge.fee`,
  'no job costs more than was held for it': `
    SELECT job.id FROM jobs AS job JOIN charges AS charge ON charge.job_id = job.id AND charge.payer = 'submitter' AND NOT charge.refunded
    GROUP BY job.id HAVING sum(charge.price) > job.hold`,
} as const;

/** And what must hold once every job is over. */
const FINAL_RULES = {
  'every job has ended': `SELECT id, state FROM jobs WHERE state IN ('queued', 'running')`,
  'no task waits for a verdict or a worker': `
    SELECT id, job_id, role, state FROM tasks WHERE state NOT IN ('succeeded', 'failed', 'cancelled')`,
  'no lease is open': `SELECT id, task_id, state, reason FROM attempts WHERE live OR state IN ('leased', 'running', 'reported', 'disputed')`,
  'nothing is held': `SELECT owner, balance FROM ledger_accounts WHERE bucket = 'held' AND balance <> 0`,
  'a job that succeeded has no task left': `SELECT id FROM jobs WHERE state = 'succeeded' AND tasks_left <> 0`,
} as const;

/** Checks the rows against every rule that holds at any moment (G4, G8, G9). */
export async function expectSoundBooks(orchestrator: Rows): Promise<void> {
  await expectRules(orchestrator, RULES);
}

/** The same, and that every job is over and nothing of it is left lying (G1). */
export async function expectClosedBooks(orchestrator: Rows): Promise<void> {
  await expectRules(orchestrator, { ...RULES, ...FINAL_RULES });
}

async function expectRules(
  orchestrator: Rows,
  rules: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [rule, query] of Object.entries(rules)) {
    const { rows } = await orchestrator.rows.query(query);
    expect(rows, rule).toEqual([]);
  }
}
