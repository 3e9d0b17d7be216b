import type { Digest, Offer } from '@tidemill/protocol';

/** An input as an offer names it. */
export type InputRef = Offer['inputs'][number];

/** A file in the cache. It stays there, unchanged, until it is released. */
export interface PinnedFile {
  readonly path: string;
  release(): void;
}

/** A file an attempt left, as its runtime measured it. */
export interface OutputFile {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Bytes by their digest, between this machine and the orchestrator. Both verbs retry by themselves; when they fail in the end it is
 * with an `ArtifactError`, and trying at once again is in vain. An aborted signal rejects with its reason.
 */
export interface ArtifactStore {
  fetch(input: InputRef, signal: AbortSignal): Promise<PinnedFile>;
  upload(file: OutputFile, signal: AbortSignal): Promise<void>;
}

/** Bytes could not be brought here or there. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';

  constructor(
    readonly code: 'INPUT_UNAVAILABLE' | 'INPUT_CORRUPT' | 'INPUT_TOO_LARGE' | 'OUTPUT_NOT_STORED',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
