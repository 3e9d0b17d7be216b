import { Injectable } from '@nestjs/common';
import type { AccountId, JobId } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { Absences } from '../platform/http/absences.js';
import { ProblemError } from '../platform/http/problem.js';
import { TrailWriter } from '../trail/trail.writer.js';

type Done = 'erased' | 'absent' | 'open' | 'unsettled' | 'unreleased';

/** Erases what submitters want gone. The trail keeps that it was there, by ids and digests, and still verifies (G15, G22). */
@Injectable()
export class ErasureService {
  constructor(
    private readonly db: Db,
    private readonly trail: TrailWriter,
    private readonly absences: Absences,
  ) {}

  /** @throws ProblemError NOT_FOUND or FORGOTTEN; CONFLICT while it is open, is being settled, or can still be disputed */
  async erase(accountId: AccountId, id: JobId): Promise<void> {
    await this.db.transaction(async (tx) => {
      const [row] = await tx.query<{ done: Done }>('SELECT erase_job($1, $2) AS done', [
        accountId,
        id,
      ]);
      switch (row?.done) {
        case 'erased':
          return this.trail.append(tx, [
            { kind: 'job.erased', subject: id, body: { account: accountId, job: id } },
          ]);
        case 'open':
          throw new ProblemError(
            'CONFLICT',
            'The job has not ended yet: cancel it first, or wait.',
          );
        case 'unsettled':
          throw new ProblemError('CONFLICT', 'The job is still being settled: try again shortly.');
        case 'unreleased':
          throw new ProblemError(
            'CONFLICT',
            'What its workers earned can still be withheld, and its rows are the evidence: erase it once that is released.',
          );
        case 'absent':
        case undefined:
          throw this.absences.of(id, `There is no job ${id} of yours.`);
      }
    });
  }
}
