const GIB = 1024 ** 3;
const HOUR_MS = 3_600_000;

/** How much may be stored and how long it may take. One set for the whole stage; tests give smaller ones. */
export abstract class ArtifactLimits {
  /** Largest artifact. */
  abstract readonly artifactBytes: number;
  /** What an account may store, each digest counted once. */
  abstract readonly accountBytes: number;
  /** What a worker may store. */
  abstract readonly workerBytes: number;
  /** What a worker stored is deleted after this unless a job has taken it over. */
  abstract readonly workerKeepMs: number;
  /** An upload that is not complete by then is discarded. */
  abstract readonly uploadTtlMs: number;
  /** Most uploads an owner has open at once. */
  abstract readonly openUploads: number;
}

export const DEFAULT_LIMITS: ArtifactLimits = {
  artifactBytes: 4 * GIB,
  accountBytes: 10 * GIB,
  workerBytes: 10 * GIB,
  workerKeepMs: 24 * HOUR_MS,
  uploadTtlMs: 24 * HOUR_MS,
  openUploads: 32,
};
