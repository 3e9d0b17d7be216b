import { setTimeout as sleep } from 'node:timers/promises';
import type { JobView } from '@tidemill/protocol';
import { freshSigner } from '../../keys.js';
import { quantile } from '../../statistics.js';
import { type BenchServer, query } from '../bench-server.js';
import { grantCredit, logIn, request, type Session } from '../product/api.js';
import { creditFor, NOOP_JOB } from '../product/job.js';
import { withOrchestrator } from '../product/orchestrator.js';
import { monotonicMs, type Passage } from '../workers/simulated-worker.js';
import { withWorkers } from '../workers/workers.js';
import { firstEvent } from './job-events.js';

/** Quiet time between two jobs, so that each one meets an idle network. */
const PAUSE_MS = 25;
/** The job is left alone for this long before it is asked for: whoever looks takes time from what is looked at. */
const LOOK_EVERY_MS = 50;
/** After so many jobs the code on their way has been compiled. */
const MAX_WARM_UP = 100;
const JOB_DEADLINE_MS = 20_000;

/** Milliseconds from the submitter's request on. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LatencyResult {
  readonly jobs: number;
  /** The worker has its lease confirmed and the job's work begins. */
  readonly workStarts: Percentiles;
  /** The worker has answered the offer. */
  readonly acceptSent: Percentiles;
  /** The time that the job's own event `running` carries; to the millisecond. */
  readonly runningEvent: Percentiles;
  /** The time that the job carries for its end; to the millisecond. */
  readonly finished: Percentiles;
}

interface Submitted {
  readonly jobId: string;
  readonly submittedAtMs: number;
  readonly runningAfterMs: number;
  readonly finishedAfterMs: number;
}

/** Measures single jobs, one at a time, on a network with one warm worker and nothing else to do. */
export async function runLatency(server: BenchServer, jobs: number): Promise<LatencyResult> {
  const warmUpJobs = Math.min(jobs, MAX_WARM_UP);
  return server.withDatabase('latency', (databaseUrl) =>
    withOrchestrator({ databaseUrl }, async ({ address, admin }) => {
      const wallet = freshSigner();
      await grantCredit(await logIn(address, admin), wallet.address, creditFor(jobs + warmUpJobs));
      const session = await logIn(address, wallet);
      return withWorkers({ orchestrator: address, count: 1, linger: false }, async (workers) => {
        for (let i = 0; i < warmUpJobs; i += 1) await oneJob(session);
        await query(databaseUrl, 'ANALYZE');
        await server.settle();

        const submitted: Submitted[] = [];
        for (let i = 0; i < jobs; i += 1) submitted.push(await oneJob(session));
        return summary(submitted, await workers.passages());
      });
    }),
  );
}

async function oneJob(session: Session): Promise<Submitted> {
  await sleep(PAUSE_MS);
  const submittedAtMs = monotonicMs();
  const submittedAt = Date.now();
  const { id } = await request<JobView>(session, 'POST', '/v1/jobs', { body: NOOP_JOB });
  const finishedAt = await endOf(session, id);
  const running = await firstEvent(session, id, 'running');
  return {
    jobId: id,
    submittedAtMs,
    runningAfterMs: Date.parse(running.at) - submittedAt,
    finishedAfterMs: Date.parse(finishedAt) - submittedAt,
  };
}

async function endOf(session: Session, jobId: string): Promise<string> {
  const deadline = performance.now() + JOB_DEADLINE_MS;
  while (performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS);
    const { state, finishedAt } = await request<JobView>(session, 'GET', `/v1/jobs/${jobId}`);
    if (state === 'succeeded' && finishedAt !== null) return finishedAt;
  }
  throw new Error(`${jobId} did not succeed within ${JOB_DEADLINE_MS / 1000} s`);
}

function summary(submitted: readonly Submitted[], passages: readonly Passage[]): LatencyResult {
  const passageOf = new Map(passages.map((passage) => [passage.jobId, passage]));
  const atWorker = (time: (passage: Passage) => number) =>
    submitted.map(({ jobId, submittedAtMs }) => {
      const passage = passageOf.get(jobId);
      if (passage === undefined)
        throw new Error(`${jobId} finished without having passed the worker`);
      return time(passage) - submittedAtMs;
    });
  return {
    jobs: submitted.length,
    workStarts: percentiles(atWorker(({ startedAtMs }) => startedAtMs)),
    acceptSent: percentiles(atWorker(({ acceptedAtMs }) => acceptedAtMs)),
    runningEvent: percentiles(submitted.map(({ runningAfterMs }) => runningAfterMs)),
    finished: percentiles(submitted.map(({ finishedAfterMs }) => finishedAfterMs)),
  };
}

function percentiles(values: readonly number[]): Percentiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: Math.max(...values) };
}
