import type { Readable } from 'node:stream';

/**
 * The chunks of a request's body. Leaving the loop early does not destroy the stream, as it usually does: its socket still
 * has to carry the refusal.
 */
export const received = (source: Readable): AsyncIterable<Uint8Array> =>
  source.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>; // a request without an encoding gives buffers
