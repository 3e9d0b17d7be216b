import { Injectable } from '@nestjs/common';
import type { AccountId, DecisionId, DecisionInputsView } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { Absences } from '../platform/http/absences.js';
import { KEEP_INPUTS_MS } from './leases.service.js';

/** Shows what a decision was taken on, so that anybody can decide again (G16). */
@Injectable()
export class DecisionInputs {
  constructor(
    private readonly db: Db,
    private readonly absences: Absences,
  ) {}

  /** @throws ProblemError NOT_FOUND: of others, or of before inputs were kept; FORGOTTEN after their time */
  async of(accountId: AccountId, id: DecisionId): Promise<DecisionInputsView> {
    const attemptId = id.replace(/^dec_/, 'att_'); // a decision bears the number of its attempt
    const [row] = await this.db.query<{ digest: string; text: string; kinds: string[] }>(INPUTS, [
      attemptId,
      accountId,
    ]);
    if (row === undefined) {
      const detail = `The inputs of ${id} are not kept, or it is not about a job of yours.`;
      throw this.absences.of(id, detail, KEEP_INPUTS_MS);
    }
    return { digest: row.digest, text: row.text, workerKinds: row.kinds };
  }
}

const INPUTS = `
SELECT encode(kept.digest, 'hex') AS digest, kept.text,
  ARRAY(SELECT kind.text FROM worker_kinds AS kind WHERE kind.digest = ANY (kept.kinds) ORDER BY kind.digest) AS kinds
FROM trail_events AS event
JOIN attempts AS attempt ON attempt.id = event.subject
JOIN jobs AS job ON job.id = attempt.job_id
JOIN plan_inputs AS kept ON kept.digest = decode(event.body::jsonb ->> 'inputs', 'hex')
WHERE event.kind = 'task.placed' AND event.subject = $1 AND job.account_id = $2`;
