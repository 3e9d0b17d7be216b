import { REFUSALS } from './refusals.js';

/** Why the program refused an instruction. */
export type Refusal = (typeof REFUSALS)[number];

/** The refusal that a transaction's logs end in, or null when it failed for another reason or not at all. */
export function refusalOf(logs: readonly string[]): Refusal | null {
  for (const line of logs.toReversed()) {
    const [, code] = /custom program error: 0x([0-9a-f]+)$/.exec(line) ?? [];
    if (code !== undefined) {
      return REFUSALS.find((refusal) => refusal.code === Number.parseInt(code, 16)) ?? null;
    }
  }
  return null;
}
