import { Controller, Req, Res } from '@nestjs/common';
import type { BatchResult, JobDetail, JobView, LogLine } from '@tidemill/protocol';
import type { Request, Response } from 'express';
import { Db } from '../platform/db/db.js';
import { accountOf, Authenticators } from '../platform/http/caller.js';
import { Input, Operation, type CheckedRequest, type InputOf } from '../platform/http/operation.js';
import { pageOf, positionOf, type Page } from '../platform/http/page.js';
import { EventStream } from './event-stream.js';
import { JobStarts } from './job-starts.js';
import { JobViews } from './job-views.js';
import { RerunsService } from './reruns.service.js';
import { JobsService } from './jobs.service.js';

@Controller()
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly reruns: RerunsService,
    private readonly views: JobViews,
    private readonly starts: JobStarts,
    private readonly stream: EventStream,
    private readonly db: Db,
    private readonly authenticators: Authenticators,
  ) {}

  @Operation('createJob')
  create(
    @Input() { caller, headers, body }: InputOf<'createJob'>,
    @Req() request: CheckedRequest,
  ): Promise<JobView> {
    return this.jobs.create(
      submission('createJob', caller, headers['idempotency-key'], request),
      body,
    );
  }

  @Operation('createJobs')
  createMany(
    @Input() { caller, headers, body }: InputOf<'createJobs'>,
    @Req() request: CheckedRequest,
  ): Promise<BatchResult> {
    return this.jobs.createMany(
      submission('createJobs', caller, headers['idempotency-key'], request),
      body.jobs,
    );
  }

  @Operation('listJobs')
  list(@Input() { caller, query }: InputOf<'listJobs'>): Promise<Page<JobView>> {
    return this.views.list(accountOf(caller).accountId, query);
  }

  @Operation('getJob')
  async get(@Input() { caller, params }: InputOf<'getJob'>): Promise<JobDetail> {
    const job = await this.views.detail(accountOf(caller).accountId, params.id);
    if (job.state !== 'queued') return job;
    return { ...job, expectedStart: await this.starts.of(params.id) };
  }

  @Operation('cancelJob')
  cancel(@Input() { caller, params }: InputOf<'cancelJob'>): Promise<JobView> {
    return this.jobs.cancel(accountOf(caller).accountId, params.id);
  }

  @Operation('rerunJob')
  rerun(
    @Input() { caller, params, headers, body }: InputOf<'rerunJob'>,
    @Req() request: CheckedRequest,
  ): Promise<JobView> {
    const asked = submission('rerunJob', caller, headers['idempotency-key'], request);
    // The same key and body for another job is another request.
    const bodyText = `${params.id}\n${asked.bodyText}`;
    return this.reruns.rerun({ ...asked, bodyText }, params.id, body);
  }

  @Operation('streamJobEvents')
  async events(
    @Input() { caller, params, headers }: InputOf<'streamJobEvents'>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.stream.send(
      accountOf(caller).accountId,
      params.id,
      headers['last-event-id'],
      request,
      response,
      () => this.mayStream(request.headers.authorization ?? ''),
    );
  }

  /** A stream outlives the check of its request: a key that is revoked or ends meanwhile ends it. */
  private async mayStream(authorization: string): Promise<boolean> {
    const caller = await this.authenticators.identify(authorization.split(' ', 2)[1] ?? '');
    return caller?.kind === 'account' && caller.scopes.has('jobs:read');
  }

  @Operation('listJobLogs')
  async logs(@Input() { caller, params, query }: InputOf<'listJobLogs'>) {
    await this.views.one(accountOf(caller).accountId, params.id);
    const after = positionOf('logs', query.cursor, /^(att_[0-9a-z]{26}):(\d{1,9})$/);
    const rows = await this.db.query<{
      attempt_id: LogLine['attemptId'];
      line: number;
      at: Date;
      stream: LogLine['stream'];
      text: string;
    }>(
      `SELECT attempt_id, line, at, stream, text FROM attempt_logs
       WHERE job_id = $1 AND (attempt_id, line) > ($2, $3) ORDER BY attempt_id, line LIMIT $4`,
      [params.id, after?.[1] ?? '', Number(after?.[2] ?? -1), query.limit + 1],
    );
    const items = rows.map(({ attempt_id, at, ...rest }) => ({
      attemptId: attempt_id,
      at: at.toISOString(),
      ...rest,
    }));
    return pageOf('logs', items, query.limit, ({ attemptId, line }) => `${attemptId}:${line}`);
  }

  @Operation('listJobOutputs')
  async outputs(@Input() { caller, params }: InputOf<'listJobOutputs'>) {
    await this.views.one(accountOf(caller).accountId, params.id);
    const rows = await this.db.query<{
      task_id: string;
      name: string;
      digest: string;
      size_bytes: bigint;
    }>(OUTPUTS, [params.id]);
    return {
      items: rows.map(({ task_id, name, digest, size_bytes }) => ({
        taskId: task_id,
        name,
        digest,
        sizeBytes: Number(size_bytes),
        href: `/v1/artifacts/${digest}`,
      })),
    };
  }
}

/** Of one accepted execution of every task: the others produced the same, or were rejected. The primary comes first if it was right. */
const OUTPUTS = `
SELECT root.id AS task_id, output.name, output.digest, output.size_bytes
FROM tasks AS root
CROSS JOIN LATERAL (
  SELECT attempt.id FROM tasks AS task JOIN attempts AS attempt ON attempt.task_id = task.id AND attempt.state = 'accepted'
  WHERE task.job_id = root.job_id AND task.root_id = root.id AND task.state = 'succeeded'
  ORDER BY task.role <> 'primary', attempt.id DESC LIMIT 1
) AS attempt
JOIN task_outputs AS output ON output.attempt_id = attempt.id
WHERE root.job_id = $1 AND root.role = 'primary' AND root.state = 'succeeded' ORDER BY root.idx, output.name`;

function submission(
  operation: 'createJob' | 'createJobs' | 'rerunJob',
  caller: InputOf<'createJob'>['caller'],
  key: string | undefined,
  request: CheckedRequest,
) {
  return {
    operation,
    accountId: accountOf(caller).accountId,
    budgetKey: accountOf(caller).budgetKey,
    bodyText: request.bodyText ?? '',
    idempotencyKey: key,
  };
}
