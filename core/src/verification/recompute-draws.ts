import { isAudited } from './sample.js';

/** What the trail says of a result that could have been drawn for an audit. */
export interface DrawSaid {
  /** The hash of its receipt, hex: what is drawn on. */
  readonly receipt: string;
  readonly ratePpm: number;
  /** Whether it was executed again. */
  readonly drawn: boolean;
}

/**
 * The first result whose draw is not what the trail says: one that was spared, or picked. Null when all are as drawn. Whoever has
 * the key of the draws can tell (G14); the results have been committed to the trail before they were drawn on.
 */
export function firstWrongDraw(
  said: readonly DrawSaid[],
  draw: (subject: string) => Uint8Array,
): number | null {
  const at = said.findIndex(
    ({ receipt, ratePpm, drawn }) => isAudited(draw(receipt), ratePpm) !== drawn,
  );
  return at < 0 ? null : at;
}
