import type { CheckpointView, TrailEventView, WitnessedCheckpointView } from '@tidemill/protocol';
import type { Trail } from '../sdk/trail.js';
import { TidemillError } from '../sdk/tidemill-error.js';

/** Where a trail is read from. What it gives is believed only as far as it verifies. */
export interface TrailSource {
  /** The newest signed checkpoint; null when none was signed. */
  checkpoint(): Promise<CheckpointView | null>;
  /** The newest checkpoint that the witness with this key signed, as the source says; null when there is none. */
  witnessed(publicKey: string): Promise<WitnessedCheckpointView | null>;
  /** All events in order of place, as far as the trail goes. */
  events(): AsyncIterable<TrailEventView>;
}

/** The trail that a network serves. */
export function servedTrail(
  trail: Pick<Trail, 'checkpoint' | 'checkpoints' | 'events'>,
): TrailSource {
  return {
    events: () => trail.events(),
    witnessed: async (witness) => (await trail.checkpoints({ witness, limit: 1 }))[0] ?? null,
    checkpoint: async () => {
      try {
        return await trail.checkpoint();
      } catch (error) {
        if (error instanceof TidemillError && error.code === 'NOT_FOUND') return null;
        throw error;
      }
    },
  };
}
