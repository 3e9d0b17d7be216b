import { startChild } from '../../child.js';
import { type BenchServer, query } from '../bench-server.js';
import { type Spent, startMeter } from '../meter.js';
import type { PeerProcess } from './peer-process.js';
import type { PeerName } from './peer-names.js';

/** One measurement of a peer. Its share and the database's are apart. */
export interface PeerRound {
  readonly jobs: number;
  readonly enqueue: Spent<'client' | 'postgres'>;
  readonly run: Spent<'client' | 'postgres'>;
  /** Enqueue and run together, client and database together. */
  readonly jobsPerCpuSecond: number;
  readonly runJobsPerCpuSecond: number;
  readonly wallJobsPerSecond: number;
}

/**
 * Measures a peer in a process and a database of its own, after a warm-up. Its statistics are taken while its table is full and are
 * not charged to it: on statistics of an empty table graphile-worker does a fifth of the jobs.
 */
export async function runPeer(
  server: BenchServer,
  { peer, jobs, warmUpJobs }: { peer: PeerName; jobs: number; warmUpJobs: number },
): Promise<PeerRound> {
  return server.withDatabase(peer, async (url) => {
    const child = await startChild<PeerProcess>(new URL('./peer-process.js', import.meta.url));
    try {
      await child.call('open', { peer, url });
      await child.call('enqueue', warmUpJobs);
      await child.call('run', warmUpJobs);
      await server.settle();

      const roots = { client: child.pid, postgres: server.postmaster };
      const whileEnqueueing = startMeter(roots);
      await child.call('enqueue', jobs);
      const enqueue = whileEnqueueing();

      await query(url, 'ANALYZE');
      const whileRunning = startMeter(roots);
      await child.call('run', jobs);
      const run = whileRunning();

      await child.call('close', undefined);
      return {
        jobs,
        enqueue,
        run,
        jobsPerCpuSecond: jobs / (enqueue.totalCpuSeconds + run.totalCpuSeconds),
        runJobsPerCpuSecond: jobs / run.totalCpuSeconds,
        wallJobsPerSecond: jobs / (enqueue.wallSeconds + run.wallSeconds),
      };
    } finally {
      await child.stop();
    }
  });
}
