/** One in a million is the finest rate that can be asked for. */
const MILLION = 1_000_000;

/**
 * Whether a result is executed again, from the draw of that result: a keyed hash nobody can foresee or pick (G14). `draw` has at
 * least 6 bytes; a rate of 1,000,000 takes all, 0 none.
 */
export function isAudited(draw: Uint8Array, ratePpm: number): boolean {
  let number = 0;
  for (let i = 0; i < 6; i += 1) number = number * 256 + (draw[i] ?? 0);
  return number < Math.floor((2 ** 48 / MILLION) * ratePpm);
}

/**
 * Which segments of a training job are audited: `count` different ones of `segments`, by a draw of at least 4 bytes each. Two of
 * fifty catch a run that fakes everything for certain, and one that fakes half with 75 % (B.8).
 */
export function auditedSegments(
  segments: number,
  count: number,
  draw: (index: number) => Uint8Array,
): number[] {
  return Array.from({ length: segments }, (_, index) => ({ index, weight: weightOf(draw(index)) }))
    .sort((a, b) => a.weight - b.weight || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

function weightOf(draw: Uint8Array): number {
  return [0, 1, 2, 3].reduce((number, i) => number * 256 + (draw[i] ?? 0), 0);
}
