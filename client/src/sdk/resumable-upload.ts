import { type Api, bodyOf } from './api.js';
import type { ByteSource } from './byte-source.js';
import type { Clock } from './clock.js';
import { TidemillError } from './tidemill-error.js';
import type { Transport } from './transport.js';

/** Bytes of one request: what a break in the connection costs at most. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** Breaks in a row without progress before the trouble is the caller's. */
const MAX_FAILURES = 5;
const WAIT_MS = 500;
/** What another try from the offset that arrived can get past. */
const RECOVERABLE = new Set(['UNREACHABLE', 'UPLOAD_OFFSET', 'UNAVAILABLE', 'RATE_LIMITED']);

interface Parts {
  readonly api: Api;
  readonly transport: Transport;
  readonly baseUrl: string;
  readonly clock: Clock;
  /** Whether the bytes are stored already. */
  isStored(): Promise<boolean>;
}

/** Stores bytes in pieces; after a break it asks how far it came and goes on from there. */
export async function uploadInPieces(
  parts: Parts,
  source: ByteSource,
  digest: string,
): Promise<void> {
  const { sizeBytes } = source;
  const created = await parts.api.POST('/v1/artifacts/uploads', { body: { digest, sizeBytes } });
  const { id, offset: start } = bodyOf(created);
  let offset = start;
  for (let failures = 0; offset < sizeBytes;) {
    try {
      offset = await append(parts, id, source, offset);
      failures = 0;
    } catch (error) {
      if (!(error instanceof TidemillError) || !RECOVERABLE.has(error.code)) throw error;
      failures += 1;
      if (failures > MAX_FAILURES) throw error;
      await parts.clock.sleep(WAIT_MS * failures);
      const arrived = await arrivedSoFar(parts, id);
      if (arrived === null) return; // The last piece had arrived, only its answer was lost.
      offset = arrived;
    }
  }
}

async function append(
  parts: Parts,
  id: string,
  source: ByteSource,
  offset: number,
): Promise<number> {
  const end = Math.min(offset + CHUNK_BYTES, source.sizeBytes);
  const make = () =>
    new Request(`${parts.baseUrl}/v1/artifacts/uploads/${id}`, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/octet-stream',
        'upload-offset': String(offset),
        'content-length': String(end - offset),
      },
      body: source.body(offset, end),
      duplex: 'half',
    });
  const response = await parts.transport.send(make, { deadlineMs: 120_000 });
  return ((await response.json()) as { offset: number }).offset; // As the API describes it.
}

/** How far the upload is, or null when it is complete. */
async function arrivedSoFar(parts: Parts, id: string): Promise<number | null> {
  try {
    const answer = await parts.api.GET('/v1/artifacts/uploads/{id}', { params: { path: { id } } });
    return bodyOf(answer).offset;
  } catch (error) {
    // A complete upload may be forgotten at once.
    if (await parts.isStored()) return null;
    throw error;
  }
}
