import type { FromWorker, WorkerId } from '@tidemill/protocol';

export type ItemsOf<Type extends FromWorker['type']> =
  Extract<FromWorker, { type: Type }> extends { items: infer Items } ? Items : never;

/**
 * What workers say of running attempts: progress, log lines, checkpoint notices. Only of attempts that are live and theirs;
 * anything else is dropped, as none of it decides anything.
 */
export abstract class ReportsStore {
  abstract progress(workerId: WorkerId, items: ItemsOf<'progress'>): Promise<void>;
  abstract logs(workerId: WorkerId, items: ItemsOf<'logs'>): Promise<void>;
  abstract checkpoints(workerId: WorkerId, items: ItemsOf<'checkpoint'>): Promise<void>;
}
