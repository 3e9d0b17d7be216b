import type { Tidemill } from '@tidemill/client';
import type { ChainPlace } from '@tidemill/client/chain';
import type { Network } from '@tidemill/localnet';
import type { Signer } from '@tidemill/protocol/node';
import type { Stage } from './stage.js';
import type { TrainingData } from './job-specs.js';

/** What every chapter of the demo works with. */
export interface World {
  readonly stage: Stage;
  readonly network: Network;
  /** The submitter, with credit. */
  readonly submitter: Tidemill;
  readonly wallet: Signer;
  /** Whoever runs the network. */
  readonly operator: Tidemill;
  /** Where the network is on chain. */
  readonly place: ChainPlace;
}

/** The digits, stored in the network: digests. */
export interface StoredDigits extends TrainingData {
  readonly testImages: string;
}

/** The worker's name, for people. */
export function nameOf(world: World, workerId: string): string {
  return world.network.workers.find(({ id }) => id === workerId)?.name ?? workerId;
}
