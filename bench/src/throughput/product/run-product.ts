import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startChild } from '../../child.js';
import { residentMib } from '../../cpu.js';
import { freshSigner } from '../../keys.js';
import { type BenchServer, query } from '../bench-server.js';
import { type Spent, startMeter } from '../meter.js';
import { withWorkers, type Workers } from '../workers/workers.js';
import { account, grantCredit, logIn, type Session } from './api.js';
import { audit } from './audit.js';
import { creditFor } from './job.js';
import type { LoadProcess } from './load-process.js';
import { type RunningOrchestrator, withOrchestrator } from './orchestrator.js';
import { startStatementCount } from './statements.js';

/** Jobs in one call, and calls at once, of the submitter that the bar is about. */
const BATCH = { perCall: 100, callsAtOnce: 4 } as const;
/** The submitter that is printed beside it. */
const SINGLE = { perCall: 1, callsAtOnce: 32 } as const;
const POLL_MS = 200;
/** The trail gives its last events their places within a second after the booking; that is charged as well. */
const TAIL_MS = 1_500;
/** Without a booked job for this long something is stuck. */
const STUCK_MS = 30_000;

interface ProductOptions {
  readonly jobs: number;
  readonly warmUpJobs: number;
  readonly singleJobs: number;
  readonly workers: number;
  readonly profileDir?: string | undefined;
  /** Looks at the database once all jobs are booked, before it is dropped. */
  readonly inspect?: (databaseUrl: string) => Promise<void>;
}

interface RoadSpent {
  readonly jobs: number;
  readonly spent: Spent<'orchestrator' | 'postgres'>;
  readonly jobsPerCpuSecond: number;
  readonly wallJobsPerSecond: number;
}

export interface ProductRound {
  /** From `POST /v1/jobs/batch` to the ledger. */
  readonly batch: RoadSpent;
  /** From `POST /v1/jobs` to the ledger. */
  readonly single: RoadSpent;
  readonly orchestratorMib: number;
}

/** Measures the whole road on an orchestrator and a database of its own, then checks that every job went it once. */
export async function runProduct(
  server: BenchServer,
  options: ProductOptions,
): Promise<ProductRound> {
  return server.withDatabase('tidemill', (databaseUrl) =>
    withOrchestrator({ databaseUrl, profileDir: options.profileDir }, (orchestrator) =>
      withWorkers(
        { orchestrator: orchestrator.address, count: options.workers, linger: true },
        async (workers) => {
          const load = await startChild<LoadProcess>(new URL('./load-process.js', import.meta.url));
          try {
            return await measure({ server, databaseUrl, orchestrator, workers, load }, options);
          } finally {
            await load.stop();
          }
        },
      ),
    ),
  );
}

interface Stage {
  readonly server: BenchServer;
  readonly databaseUrl: string;
  readonly orchestrator: RunningOrchestrator;
  readonly workers: Workers;
  readonly load: Child<LoadProcess>;
}

async function measure(stage: Stage, options: ProductOptions): Promise<ProductRound> {
  const { server, databaseUrl, orchestrator, workers } = stage;
  const total = options.warmUpJobs + options.jobs + options.singleJobs;
  const session = await submitterWith(creditFor(total), orchestrator);

  await road(stage, session, options.warmUpJobs, BATCH);
  // Plans made for empty tables scan them; a network in use has its statistics.
  await query(databaseUrl, 'ANALYZE');
  await server.settle();

  const profile = await startProfile(stage, options.profileDir);
  const batch = await road(stage, session, options.jobs, BATCH);
  await profile.stop();
  const single = await road(stage, session, options.singleJobs, SINGLE);
  const orchestratorMib = residentMib(orchestrator.pid);

  await audit({ databaseUrl, session, jobs: total, tally: await workers.tally() });
  await options.inspect?.(databaseUrl);
  return { batch, single, orchestratorMib };
}

/** What the orchestrator and the database spend their time on, into a folder; nothing without one. */
async function startProfile(
  { orchestrator, databaseUrl }: Stage,
  folder: string | undefined,
): Promise<{ stop(): Promise<void> }> {
  if (folder === undefined) return { stop: () => Promise.resolve() };
  const statements = await startStatementCount(databaseUrl);
  orchestrator.startProfile();
  return {
    stop: async () => {
      await orchestrator.stopProfile();
      await statements.write(folder);
    },
  };
}

async function submitterWith(
  tokens: number,
  { address, admin }: RunningOrchestrator,
): Promise<Session> {
  const wallet = freshSigner();
  await grantCredit(await logIn(address, admin), wallet.address, tokens);
  return logIn(address, wallet);
}

/** Submits jobs and waits until the last of them is booked. */
async function road(
  { server, orchestrator, workers, load }: Stage,
  session: Session,
  jobs: number,
  how: { readonly perCall: number; readonly callsAtOnce: number },
): Promise<RoadSpent> {
  const meter = startMeter({ orchestrator: orchestrator.pid, postgres: server.postmaster });
  await load.call('submit', { session, jobs, ...how });
  await untilBooked(session, workers);
  const { wallSeconds } = meter();
  await sleep(TAIL_MS);
  const spent = { ...meter(), wallSeconds };
  return {
    jobs,
    spent,
    jobsPerCpuSecond: jobs / spent.totalCpuSeconds,
    wallJobsPerSecond: jobs / spent.wallSeconds,
  };
}

/** A job's hold goes in the transaction that books it, so when nothing is held everything is booked. */
async function untilBooked(session: Session, workers: Workers): Promise<void> {
  let last = '';
  let changedAt = performance.now();
  for (;;) {
    const { held } = await account(session);
    if (held === '0') return;
    if (held !== last) {
      last = held;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > STUCK_MS) {
      throw new Error(
        `nothing was booked for ${STUCK_MS / 1000} s; ${JSON.stringify(await workers.tally())}`,
      );
    }
    await sleep(POLL_MS);
  }
}
