import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { UploadView } from '@tidemill/protocol';
import type { z } from 'zod';
import { ArtifactError, type OutputFile } from './store.js';
import {
  call,
  type Call,
  InterruptedError,
  persist,
  RefusedError,
  type TransferPorts,
} from './transfer.js';

export interface UploadSizes {
  /** Up to here a file goes in one request; a larger one in an upload that can be resumed. */
  readonly wholeUpTo: number;
  readonly chunk: number;
}

export const UPLOAD_SIZES: UploadSizes = { wholeUpTo: 8 * 1024 * 1024, chunk: 8 * 1024 * 1024 };

type Upload = z.infer<typeof UploadView>;

/** An upload that expires is begun anew at most this often. */
const MAX_BEGINNINGS = 3;
const BYTES = { 'content-type': 'application/octet-stream' };

/** Stores a file under its digest. @throws ArtifactError when it cannot be done */
export async function upload(
  ports: TransferPorts,
  output: OutputFile,
  signal: AbortSignal,
  sizes: UploadSizes = UPLOAD_SIZES,
): Promise<void> {
  // A link would let what an attempt left name a file of the host.
  const file = await open(output.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (output.sizeBytes <= sizes.wholeUpTo) await putWhole(ports, file, output, signal);
    else await sendInChunks(ports, file, output, signal, sizes.chunk);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RefusedError) && !(error instanceof InterruptedError)) throw error;
    throw new ArtifactError(
      'OUTPUT_NOT_STORED',
      `${output.digest} cannot be stored: ${error.message}`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

async function putWhole(
  ports: TransferPorts,
  file: FileHandle,
  { digest, sizeBytes }: OutputFile,
  signal: AbortSignal,
): Promise<void> {
  const body = await readAt(file, 0, sizeBytes);
  await persist(ports, signal, async () => {
    const answer = await call(
      ports,
      { method: 'PUT', path: `/v1/artifacts/${digest}`, headers: BYTES, body },
      signal,
    );
    await discard(answer);
  });
}

async function sendInChunks(
  ports: TransferPorts,
  file: FileHandle,
  output: OutputFile,
  signal: AbortSignal,
  chunkBytes: number,
): Promise<void> {
  for (let beginnings = 1; ; beginnings += 1) {
    try {
      const begun = await persist(ports, signal, () => begin(ports, output, signal));
      return await sendFrom(ports, file, begun, signal, chunkBytes);
    } catch (error) {
      const isGone =
        error instanceof RefusedError && (error.status === 404 || error.status === 410);
      if (!isGone || beginnings >= MAX_BEGINNINGS) throw error;
    }
  }
}

async function sendFrom(
  ports: TransferPorts,
  file: FileHandle,
  begun: Upload,
  signal: AbortSignal,
  chunkBytes: number,
): Promise<void> {
  const path = `/v1/artifacts/uploads/${begun.id}`;
  let { offset } = begun;
  let isOffsetKnown = true;
  while (offset < begun.sizeBytes) {
    offset = await persist(ports, signal, async () => {
      if (!isOffsetKnown) offset = (await view(ports, { method: 'GET', path }, signal)).offset;
      if (offset >= begun.sizeBytes) return offset;
      // Until the answer is read, nobody knows how much of the chunk was taken.
      isOffsetKnown = false;
      const body = await readAt(file, offset, Math.min(chunkBytes, begun.sizeBytes - offset));
      const headers = { ...BYTES, 'upload-offset': String(offset) };
      const after = await sendChunk(ports, { method: 'PATCH', path, headers, body }, signal);
      isOffsetKnown = true;
      return after.offset;
    });
  }
}

/** A conflict means that the upload stands elsewhere than we thought: ask, and go on from there. */
async function sendChunk(
  ports: TransferPorts,
  request: Call,
  signal: AbortSignal,
): Promise<Upload> {
  try {
    return await view(ports, request, signal);
  } catch (error) {
    if (error instanceof RefusedError && error.status === 409) {
      throw new InterruptedError('the upload continues elsewhere', false, { cause: error });
    }
    throw error;
  }
}

function begin(
  ports: TransferPorts,
  { digest, sizeBytes }: OutputFile,
  signal: AbortSignal,
): Promise<Upload> {
  const body = JSON.stringify({ digest, sizeBytes });
  const headers = { 'content-type': 'application/json' };
  return view(ports, { method: 'POST', path: '/v1/artifacts/uploads', headers, body }, signal);
}

async function view(ports: TransferPorts, request: Call, signal: AbortSignal): Promise<Upload> {
  const { response, done } = await call(ports, request, signal);
  try {
    return UploadView.parse(await response.json());
  } catch (error) {
    throw new InterruptedError('the answer cannot be read', false, { cause: error });
  } finally {
    done();
  }
}

async function discard({ response, done }: Awaited<ReturnType<typeof call>>): Promise<void> {
  await response.body?.cancel();
  done();
}

async function readAt(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0)
      throw new ArtifactError('OUTPUT_NOT_STORED', 'the file is shorter than its runtime said');
    done += bytesRead;
  }
  return bytes;
}
