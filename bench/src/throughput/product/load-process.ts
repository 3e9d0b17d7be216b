import { randomUUID } from 'node:crypto';
import type { BatchResult, JobView } from '@tidemill/protocol';
import { answer } from '../../child.js';
import { each } from '../each.js';
import { request, type Session } from './api.js';
import { NOOP_JOB } from './job.js';

export interface SubmitOptions {
  readonly session: Session;
  readonly jobs: number;
  /** Jobs in one `POST /v1/jobs/batch`; 1 stands for `POST /v1/jobs`. */
  readonly perCall: number;
  readonly callsAtOnce: number;
}

const handlers = {
  /** Submits jobs and gives the ids of those that were accepted. */
  submit: async ({ session, jobs, perCall, callsAtOnce }: SubmitOptions): Promise<string[]> => {
    const accepted: string[] = [];
    const sizes = Array.from({ length: Math.ceil(jobs / perCall) }, (_, i) =>
      Math.min(perCall, jobs - i * perCall),
    );
    await each(sizes, callsAtOnce, async (size) => {
      const idempotencyKey = randomUUID();
      if (perCall === 1) {
        const job = await request<JobView>(session, 'POST', '/v1/jobs', {
          body: NOOP_JOB,
          idempotencyKey,
        });
        accepted.push(job.id);
      } else {
        const body = { jobs: Array.from({ length: size }, () => NOOP_JOB) };
        const batch = await request<BatchResult>(session, 'POST', '/v1/jobs/batch', {
          body,
          idempotencyKey,
        });
        accepted.push(...batch.jobs.map(({ id }) => id));
      }
    });
    return accepted;
  },
};
export type LoadProcess = typeof handlers;

answer(handlers);
