import { performance } from 'node:perf_hooks';
import type pg from 'pg';

/** One thing that was asked for until it was answered. */
export interface Operation {
  readonly name: string;
  /** What makes it the same when it is asked again: a key, a digest, an id. */
  readonly key: string;
  readonly askedMs: number;
  /** How often it was asked: once, and once more for every answer that did not come. */
  readonly times: number;
  /** What the final answer named: a job, a state, a reference. */
  readonly answer: string;
}

/** What was asked of a network and what it answered, to be held against its rows. */
export class History {
  readonly operations: Operation[] = [];

  add(operation: Omit<Operation, 'askedMs'>): void {
    this.operations.push({ ...operation, askedMs: performance.now() });
  }

  of(name: string): Operation[] {
    return this.operations.filter((one) => one.name === name);
  }

  /** What contradicts itself in the answers alone. */
  contradictions(): string[] {
    const faults: string[] = [];
    const jobs = new Map<string, string>();
    for (const { key, answer } of this.of('submit')) {
      const before = jobs.get(key) ?? answer;
      if (before !== answer) faults.push(`key ${key} gave ${before} and then ${answer}`);
      jobs.set(key, answer);
    }
    const ends = new Map<string, string>();
    for (const { key, answer } of this.of('read')) {
      const ended = ends.get(key);
      if (ended !== undefined && ended !== answer)
        faults.push(`job ${key} was ${ended} and then ${answer}`);
      if (answer !== 'queued' && answer !== 'running') ends.set(key, answer);
    }
    return faults;
  }

  /** What the rows say that the answers do not, or the other way round. Everything has to be over. */
  async against(rows: Pick<pg.ClientBase, 'query'>, accountId: string): Promise<string[]> {
    const faults = this.contradictions();
    const acknowledged = new Set(this.of('submit').map(({ answer }) => answer));
    const kept = await rows.query<{ id: string; state: string; ends: number; ended: string }>(
      `SELECT job.id, job.state, (SELECT count(*)::int FROM job_ends WHERE job_id = job.id) AS ends,
         (SELECT max(state) FROM job_ends WHERE job_id = job.id) AS ended
       FROM jobs AS job WHERE account_id = $1`,
      [accountId],
    );
    const states = new Map(kept.rows.map(({ id, state }) => [id, state]));
    for (const id of acknowledged) if (!states.has(id)) faults.push(`${id} was lost`);
    for (const { id, state, ends, ended } of kept.rows) {
      if (!acknowledged.has(id)) faults.push(`${id} was made by a request that was never answered`);
      if (ends !== 1 || ended !== state) faults.push(`${id} is ${state} and ended ${ends} times`);
    }
    for (const { key, answer } of this.of('read')) {
      if (answer !== 'queued' && answer !== 'running' && states.get(key) !== answer)
        faults.push(`${key} was ${answer} and is ${states.get(key)}`);
    }
    for (const { key, answer } of this.of('cancel')) {
      if (answer === 'cancelled' && states.get(key) !== 'cancelled')
        faults.push(`${key} was said to be cancelled and is ${states.get(key)}`);
    }
    for (const [rule, query] of Object.entries(RULES)) {
      const broken = await rows.query(query);
      for (const row of broken.rows) faults.push(`${rule}: ${JSON.stringify(row)}`);
    }
    for (const [name, query] of Object.entries(KEPT)) {
      const wanted = this.of(name).map(({ answer }) => answer);
      const { rows: missing } = await rows.query<{ wanted: string }>(
        `SELECT wanted FROM unnest($1::text[]) AS wanted WHERE (${query}) <> 1`,
        [wanted],
      );
      for (const row of missing) faults.push(`${name} ${row.wanted} is not there once`);
    }
    return faults;
  }
}

/** How often the thing named `wanted` is in the rows. */
const KEPT: Readonly<Record<string, string>> = {
  credit: `SELECT count(*) FROM ledger_entries WHERE ref = wanted AND kind = 'grant'`,
  key: `SELECT count(*) FROM api_keys WHERE id = wanted AND revoked_at IS NULL`,
  revoke: `SELECT count(*) FROM api_keys WHERE id = wanted AND revoked_at IS NOT NULL`,
  store: `SELECT count(*) FROM artifacts WHERE digest = wanted`,
};

/** What the books do not cover; each query gives the rows that break the rule. */
const RULES: Readonly<Record<string, string>> = {
  'a result counts only under the highest fence of its task (G4)': `
    SELECT attempt.id FROM attempts AS attempt JOIN tasks AS task ON task.id = attempt.task_id
    WHERE attempt.state = 'accepted' AND attempt.reason IS DISTINCT FROM 'void' AND attempt.fence <> task.fence`,
  'a task that succeeded has one accepted result (G4)': `
    SELECT task.id FROM tasks AS task LEFT JOIN attempts AS attempt ON attempt.task_id = task.id AND attempt.state = 'accepted'
    WHERE task.state = 'succeeded' GROUP BY task.id HAVING count(attempt.id) <> 1`,
  'an accepted result is charged once, and booked once if it costs anything (G9)': `
    SELECT verdict.attempt_id FROM verdicts AS verdict LEFT JOIN charges AS charge ON charge.attempt_id = verdict.attempt_id
      LEFT JOIN ledger_entries AS entry ON entry.ref = verdict.attempt_id AND entry.kind IN ('charge', 'check')
    WHERE verdict.verdict = 'accepted' AND verdict.payer <> 'nobody' GROUP BY verdict.attempt_id
    HAVING count(charge.attempt_id) <> greatest(1, count(entry.id)) OR (max(charge.price) > 0 AND count(entry.id) <> 1)`,
  'a hold is taken once (G9)': `
    SELECT job.id FROM jobs AS job LEFT JOIN ledger_entries AS entry ON entry.ref = job.id AND entry.kind = 'hold' GROUP BY job.id HAVING count(entry.id) <> 1`,
  'every change has its one event (G15)': `
    SELECT job.id FROM jobs AS job LEFT JOIN trail_events AS event ON event.subject = job.id AND event.kind = 'job.accepted' GROUP BY job.id HAVING count(event.id) <> 1
    UNION ALL
    SELECT verdict.attempt_id FROM verdicts AS verdict LEFT JOIN trail_events AS event ON event.subject = verdict.attempt_id AND event.kind = 'verdict.given'
    GROUP BY verdict.attempt_id HAVING count(event.id) <> 1
    UNION ALL
    SELECT charge.attempt_id FROM charges AS charge LEFT JOIN trail_events AS event ON event.subject = charge.attempt_id AND event.kind = 'ledger.booked'
    GROUP BY charge.attempt_id HAVING count(event.id) <> 1
    UNION ALL
    SELECT attempt.id FROM attempts AS attempt LEFT JOIN trail_events AS event ON event.subject = attempt.id AND event.kind = 'task.placed'
    GROUP BY attempt.id HAVING count(event.id) <> 1`,
  'no event is without a change (G15)': `
    SELECT event.kind, event.subject FROM trail_events AS event
    WHERE (event.kind = 'job.accepted' AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = event.subject))
      OR (event.kind = 'verdict.given' AND NOT EXISTS (SELECT FROM verdicts WHERE verdicts.attempt_id = event.subject))
      OR (event.kind = 'ledger.booked' AND NOT EXISTS (SELECT FROM charges WHERE charges.attempt_id = event.subject))`,
  'every event has one place (G15)': `
    SELECT event.id FROM trail_events AS event LEFT JOIN trail_chain AS placed ON placed.event_id = event.id GROUP BY event.id HAVING count(placed.place) <> 1`,
};
