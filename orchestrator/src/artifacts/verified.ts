import type { Digest } from '@tidemill/protocol';
import { createHash } from 'node:crypto';

/** What lies in the store is not what was put there. */
export class DamagedArtifactError extends Error {
  override readonly name = 'DamagedArtifactError';

  constructor(readonly digest: Digest) {
    super(`the stored bytes of ${digest} are damaged or missing`);
  }
}

/**
 * Passes a whole artifact on and holds its last chunk back until the digest was right, so that a reader never gets a
 * complete copy of damaged bytes. @throws DamagedArtifactError
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  digest: Digest,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw new DamagedArtifactError(digest);
  if (held !== undefined) yield held;
}
