import { Injectable } from '@nestjs/common';
import type { JobId, JobSpec, JobView, RerunRequest } from '@tidemill/protocol';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import type { Submission } from './acceptance.js';
import type { JobDraft, TaskDraft } from './draft.js';
import { JobViews } from './job-views.js';
import { JobsService } from './jobs.service.js';

/** Runs jobs again that have ended: a new job with a hold of its own, and the old one stays as it is. */
@Injectable()
export class RerunsService {
  constructor(
    private readonly db: Db,
    private readonly jobs: JobsService,
    private readonly views: JobViews,
  ) {}

  /** @throws ProblemError NOT_FOUND, CONFLICT while it runs or when nothing of it failed, and what acceptance refuses */
  async rerun(
    submission: Submission,
    id: JobId,
    { from, limits, labels }: RerunRequest,
  ): Promise<JobView> {
    const { spec: old, state } = await this.views.detail(submission.accountId, id);
    if (state === 'queued' || state === 'running')
      throw new ProblemError('CONFLICT', 'The job has not ended yet: cancel it first, or wait.');
    // A deadline that has passed would refuse every second run.
    const { deadline: _, ...kept } = old.limits ?? {};
    const spec: JobSpec = {
      ...old,
      limits: { ...kept, ...limits },
      ...(labels === undefined ? {} : { labels }),
    };
    const left = from === 'failed' ? await this.leftOf(id) : null;
    return this.jobs.create(submission, spec, (draft) =>
      left === null ? draft : onlyLeft(draft, left),
    );
  }

  /** What was not accepted, as it was last ready to run: a segment that had its turn names the checkpoint it starts from. */
  private async leftOf(id: JobId): Promise<ReadonlyMap<number, Left>> {
    const rows = await this.db.query<{ idx: number; payload: string; inputs: string }>(
      `SELECT idx, payload, inputs FROM tasks WHERE job_id = $1 AND role = 'primary' AND state <> 'succeeded'`,
      [id],
    );
    if (rows.length === 0)
      throw new ProblemError('CONFLICT', 'Every task of the job has an accepted result.');
    return new Map(rows.map(({ idx, ...left }) => [idx, left]));
  }
}

export interface Left {
  readonly payload: string;
  readonly inputs: string;
}

/** The draft without the tasks that are done; the first of a chain starts from the checkpoint that the last accepted one left. */
export function onlyLeft(draft: JobDraft, left: ReadonlyMap<number, Left>): JobDraft {
  const places = new Map([...left.keys()].sort((a, b) => a - b).map((idx, place) => [idx, place]));
  const tasks = [...places.keys()].flatMap((idx): TaskDraft[] => {
    const task = draft.tasks[idx];
    const row = left.get(idx);
    if (task === undefined || row === undefined) return [];
    const before = task.dependsOn === null ? undefined : places.get(task.dependsOn);
    const isFirst = task.dependsOn !== null && before === undefined;
    return [
      {
        ...task,
        dependsOn: before ?? null,
        ...(isFirst
          ? { payload: row.payload, inputs: JSON.parse(row.inputs) as TaskDraft['inputs'] } // written by this stage or receipts
          : {}),
      },
    ];
  });
  return {
    ...draft,
    tasks,
    taskCap: (draft.taskCap * BigInt(draft.tasks.length)) / BigInt(tasks.length),
  };
}
