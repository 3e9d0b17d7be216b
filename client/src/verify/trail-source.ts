import type { CheckpointView, TrailEventView } from '@tidemill/protocol';
import type { Trail } from '../sdk/trail.js';
import { TidemillError } from '../sdk/tidemill-error.js';

/** Where a trail is read from. What it gives is believed only as far as it verifies. */
export interface TrailSource {
  /** The newest signed checkpoint; null when none was signed. */
  checkpoint(): Promise<CheckpointView | null>;
  /** All events in order of place, as far as the trail goes. */
  events(): AsyncIterable<TrailEventView>;
}

/** The trail that a network serves. */
export function servedTrail(trail: Pick<Trail, 'checkpoint' | 'events'>): TrailSource {
  return {
    events: () => trail.events(),
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
