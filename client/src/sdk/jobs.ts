import { randomUUID } from 'node:crypto';
import { type Api, bodyOf } from './api.js';
import type { Clock } from './clock.js';
import { type EventsOptions, jobEvents, type StreamedEvent } from './events.js';
import { everyItem, type Page, type Paging } from './pages.js';
import { TidemillError } from './tidemill-error.js';
import type { Transport } from './transport.js';
import type {
  Job,
  JobDetail,
  JobSpec,
  JobState,
  LogLine,
  Output,
  Plan,
  Provenance,
  RerunChange,
  SignedReceipt,
} from './types.js';

export interface CreateOptions {
  /** The same key within 7 days gives the first answer again. Default: a new one for each call. */
  readonly idempotencyKey?: string;
}

/** Which jobs of a list are wanted; all that is given must be so. */
export interface JobFilter extends Paging {
  readonly state?: readonly JobState[];
  readonly kind?: readonly JobSpec['kind'][];
  /** What the name begins with. */
  readonly name?: string;
  /** Labels the job must have. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
}

export interface WaitOptions extends EventsOptions {
  /** Give up after this. Default: never. */
  readonly timeoutMs?: number;
  /** Sees every event on the way. */
  readonly onEvent?: (event: StreamedEvent) => void;
}

const OVER: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'cancelled', 'expired']);

/** Whether nothing more will happen to a job in this state. */
export const isOver = (state: JobState): boolean => OVER.has(state);

/** Submit jobs, watch them and fetch what they made. */
export class Jobs {
  constructor(
    private readonly api: Api,
    private readonly transport: Transport,
    private readonly baseUrl: string,
    private readonly clock: Clock,
  ) {}

  async create(spec: JobSpec, options: CreateOptions = {}): Promise<Job> {
    return bodyOf(
      await this.api.POST('/v1/jobs', { params: { header: idempotent(options) }, body: spec }),
    );
  }

  /** Up to 100 jobs, all or none; ids and holds in the order of the specs. */
  async createMany(
    specs: readonly JobSpec[],
    options: CreateOptions = {},
  ): Promise<{ readonly id: string; readonly hold: string }[]> {
    const answer = await this.api.POST('/v1/jobs/batch', {
      params: { header: idempotent(options) },
      body: { jobs: [...specs] },
    });
    return bodyOf(answer).jobs;
  }

  /** What would happen, without submitting. */
  async plan(spec: JobSpec): Promise<Plan> {
    return bodyOf(await this.api.POST('/v1/jobs/plan', { body: spec }));
  }

  async get(id: string): Promise<JobDetail> {
    return bodyOf(await this.api.GET('/v1/jobs/{id}', { params: { path: { id } } }));
  }

  async list(filter: JobFilter = {}): Promise<Page<Job>> {
    const { state, kind, labels, ...rest } = filter;
    const query = {
      ...rest,
      ...(state === undefined ? {} : { state: [...state] }),
      ...(kind === undefined ? {} : { kind: [...kind] }),
      ...(labels === undefined
        ? {}
        : { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) }),
    };
    return bodyOf(await this.api.GET('/v1/jobs', { params: { query } }));
  }

  /** Every job that fits the filter, newest first. */
  all(filter: Omit<JobFilter, keyof Paging> = {}): AsyncGenerator<Job> {
    return everyItem((paging) => this.list({ ...filter, ...paging }));
  }

  /** Erases a job that has ended: its spec, logs, outputs and events. It cannot be undone. */
  async erase(id: string): Promise<void> {
    await this.api.DELETE('/v1/jobs/{id}', { params: { path: { id } } });
  }

  /** Cancelling twice is cancelling once. */
  async cancel(id: string): Promise<Job> {
    return bodyOf(await this.api.POST('/v1/jobs/{id}/cancel', { params: { path: { id } } }));
  }

  /** Runs a job that has ended again; `from: 'failed'` runs only what has no accepted result, from its last checkpoint. */
  async rerun(id: string, change: RerunChange = {}, options: CreateOptions = {}): Promise<Job> {
    return bodyOf(
      await this.api.POST('/v1/jobs/{id}/rerun', {
        params: { path: { id }, header: idempotent(options) },
        body: change,
      }),
    );
  }

  /** The log, oldest line first, as far as it goes now. */
  logs(id: string): AsyncGenerator<LogLine> {
    return everyItem((paging) => this.logPage(id, paging));
  }

  async logPage(id: string, paging: Paging = {}): Promise<Page<LogLine>> {
    return bodyOf(
      await this.api.GET('/v1/jobs/{id}/logs', { params: { path: { id }, query: paging } }),
    );
  }

  /** Outputs of accepted results. */
  async outputs(id: string): Promise<Output[]> {
    return bodyOf(await this.api.GET('/v1/jobs/{id}/outputs', { params: { path: { id } } })).items;
  }

  /** Everything that proves the job: `verifyProvenance` checks it without the network. */
  async provenance(id: string): Promise<Provenance> {
    return bodyOf(await this.api.GET('/v1/jobs/{id}/provenance', { params: { path: { id } } }));
  }

  /** What a worker signed about an attempt at one of the job's tasks. */
  async receipt(attemptId: string): Promise<SignedReceipt> {
    const path = { id: attemptId };
    return bodyOf(await this.api.GET('/v1/attempts/{id}/receipt', { params: { path } }));
  }

  /** What happens to a job, each event once, over lost connections, until it is over. */
  events(id: string, options: EventsOptions = {}): AsyncGenerator<StreamedEvent> {
    const url = `${this.baseUrl}/v1/jobs/${encodeURIComponent(id)}/events`;
    return jobEvents(
      {
        clock: this.clock,
        isOver: async () => isOver((await this.get(id)).state),
        open: (after, signal) =>
          this.transport.send(
            () =>
              new Request(url, {
                headers: {
                  accept: 'text/event-stream',
                  ...(after === null ? {} : { 'last-event-id': after }),
                },
              }),
            { signal },
          ),
      },
      options,
    );
  }

  /** The job once it is over. @throws TidemillError WAIT_TIMEOUT, and the signal's reason when that is aborted */
  async wait(id: string, options: WaitOptions = {}): Promise<JobDetail> {
    const late = new AbortController();
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => late.abort(tooLate(id, options.timeoutMs ?? 0)), options.timeoutMs);
    const signal = AbortSignal.any([late.signal, ...(options.signal ? [options.signal] : [])]);
    try {
      for await (const event of this.events(id, { ...options, signal })) options.onEvent?.(event);
      return await this.get(id);
    } finally {
      clearTimeout(timer);
    }
  }
}

const idempotent = (options: CreateOptions) => ({
  'idempotency-key': options.idempotencyKey ?? randomUUID(),
});

const tooLate = (id: string, ms: number) =>
  new TidemillError({
    code: 'WAIT_TIMEOUT',
    status: null,
    title: 'The job is not over yet',
    detail: `${id} was not over after ${ms} ms.`,
    next: 'Wait longer, or cancel it; it goes on meanwhile.',
  });
