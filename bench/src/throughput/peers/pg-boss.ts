import PgBoss from 'pg-boss';
import { inBatches, type PeerQueue } from './peer-queue.js';

const QUEUE = 'noop';
/** Jobs fetched and completed in one statement each. */
const FETCH_BATCH = 100;

/** pg-boss with one process that fetches and completes a hundred jobs at a time. */
export async function openPgBoss(connectionString: string): Promise<PeerQueue> {
  const boss = new PgBoss({ connectionString });
  boss.on('error', (error) => process.emitWarning(error));
  await boss.start();
  await boss.createQueue(QUEUE);

  return {
    enqueue: (jobs) =>
      inBatches(jobs, (size) =>
        boss.insert(Array.from({ length: size }, () => ({ name: QUEUE, data: {} }))),
      ),
    run: async (jobs) => {
      let left = jobs;
      while (left > 0) {
        const batch = await boss.fetch(QUEUE, { batchSize: Math.min(FETCH_BATCH, left) });
        await boss.complete(
          QUEUE,
          batch.map(({ id }) => id),
        );
        left -= batch.length;
      }
    },
    close: () => boss.stop({ graceful: false }),
  };
}
