import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, type WorkerEvents } from 'graphile-worker';
import { inBatches, type PeerQueue } from './peer-queue.js';

/** Jobs at once, as in its own benchmark; everything else stays as it comes. */
const CONCURRENCY = 24;
/** It logs each job by default; a service at this rate would turn that off, so it is not charged for it. */
const logger = new Logger(() => () => {});

/** graphile-worker with one worker process and its default settings. */
export async function openGraphileWorker(connectionString: string): Promise<PeerQueue> {
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();

  return {
    enqueue: (jobs) =>
      inBatches(jobs, (size) =>
        utils.addJobs(Array.from({ length: size }, () => ({ identifier: 'noop', payload: {} }))),
      ),
    run: async (jobs) => {
      const events: WorkerEvents = new EventEmitter();
      const done = new Promise<void>((resolve) => {
        let completed = 0;
        events.on('job:complete', () => {
          completed += 1;
          if (completed === jobs) resolve();
        });
      });
      const runner = await run({
        connectionString,
        concurrency: CONCURRENCY,
        // A connection for each job at once, as it advises, and one for what it listens on.
        maxPoolSize: CONCURRENCY + 1,
        noHandleSignals: true,
        taskList: { noop: () => {} },
        events,
        logger,
      });
      await done;
      await runner.stop();
    },
    close: async () => utils.release(),
  };
}
