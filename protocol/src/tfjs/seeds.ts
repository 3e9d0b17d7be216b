import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** What a seed is for. The tag keeps the streams apart: no order of rows is ever also a mask of a layer. */
export type SeedPurpose = 'initializer' | 'dropout' | 'order' | 'validation';

/**
 * 32 bytes that depend on the job's seed, the purpose and the parts, and on nothing else. Everybody who runs or checks a segment
 * derives the same.
 */
export function seedBytes(
  purpose: SeedPurpose,
  jobSeed: number,
  ...parts: readonly (string | number)[]
): Uint8Array {
  // JSON of strings and whole numbers has one spelling and no two lists share it
  return sha256(
    utf8ToBytes(`tidemill/tfjs-seed/1\n${JSON.stringify([purpose, jobSeed, ...parts])}`),
  );
}

/** A seed for a TensorFlow.js initializer or dropout layer: 31 bits, never 0, which some of them take for "none". */
export function seedNumber(
  purpose: SeedPurpose,
  jobSeed: number,
  ...parts: readonly (string | number)[]
): number {
  const bytes = seedBytes(purpose, jobSeed, ...parts);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) & 0x7fffffff || 1;
}

/** Seed of one initializer: `weight` is its key in the layer's configuration. */
export function initializerSeed(jobSeed: number, layer: string, weight: string): number {
  return seedNumber('initializer', jobSeed, layer, weight);
}

/** Seed of a dropout layer before the step with this number (from 0, over the whole job). */
export function dropoutSeed(jobSeed: number, layer: string, step: number): number {
  return seedNumber('dropout', jobSeed, layer, step);
}
