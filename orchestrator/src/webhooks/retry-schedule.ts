const FIRST_MS = 5_000;
const FACTOR = 3;
const LONGEST_MS = 4 * 3_600_000;

/**
 * How long to wait after so many failed tries: 5 s, 15 s, 45 s … 4 h, each between 80 and 120 per cent of it, so that endpoints
 * that failed together are not tried together. `random` is in [0, 1). About a dozen tries fit into a day.
 */
export function waitAfter(tries: number, random: number): number {
  const full = Math.min(FIRST_MS * FACTOR ** (tries - 1), LONGEST_MS);
  return Math.round(full * (0.8 + 0.4 * random));
}
