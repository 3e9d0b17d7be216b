import type { Tidemill } from '@tidemill/client';
import type { Network } from '@tidemill/localnet';
import type { Stage } from './stage.js';
import type { TrainingData } from './job-specs.js';

/** What every chapter of the demo works with. */
export interface World {
  readonly stage: Stage;
  readonly network: Network;
  /** The submitter, with credit. */
  readonly submitter: Tidemill;
  readonly wallet: string;
}

/** The digits, stored in the network: digests. */
export interface StoredDigits extends TrainingData {
  readonly testImages: string;
}

/** The worker's name, for people. */
export function nameOf(world: World, workerId: string): string {
  return world.network.workers.find(({ id }) => id === workerId)?.name ?? workerId;
}
