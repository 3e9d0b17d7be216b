import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Api } from './api.js';
import { type ArtifactSource, type ByteSource, digestOf, openSource } from './byte-source.js';
import type { Clock } from './clock.js';
import { uploadInPieces } from './resumable-upload.js';
import { TidemillError, unreachable } from './tidemill-error.js';
import type { Transport } from './transport.js';

/** Larger bytes go up in pieces that can be resumed. */
const ONE_PIECE_BYTES = 8 * 1024 * 1024;
/** Breaks of one download before the trouble is the caller's. */
const MAX_BREAKS = 5;

export interface StoredArtifact {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Bytes under their SHA-256. What comes back is checked against its digest before it is trusted. */
export class Artifacts {
  constructor(
    private readonly api: Api,
    private readonly transport: Transport,
    private readonly baseUrl: string,
    private readonly clock: Clock,
  ) {}

  /** Stores bytes or a file. Storing the same bytes twice is storing them once. */
  async put(source: ArtifactSource): Promise<StoredArtifact> {
    const digest = await digestOf(source);
    const bytes = await openSource(source);
    const { sizeBytes } = bytes;
    if (sizeBytes <= ONE_PIECE_BYTES) await this.putWhole(digest, bytes);
    else if (!(await this.isStored(digest))) {
      const isStored = () => this.isStored(digest);
      const { api, transport, baseUrl, clock } = this;
      await uploadInPieces({ api, transport, baseUrl, clock, isStored }, bytes, digest);
    }
    return { digest, sizeBytes };
  }

  /** The bytes, checked. */
  async get(digest: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream(digest)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Gives up bytes that you stored; their quota is free again. Fails with CONFLICT while an open job of yours reads them. */
  async delete(digest: string): Promise<void> {
    await this.api.DELETE('/v1/artifacts/{digest}', { params: { path: { digest } } });
  }

  /** Writes the bytes to a file, which appears only once they are complete and checked. */
  async download(digest: string, path: string): Promise<void> {
    const part = `${path}.part`;
    await mkdir(dirname(path), { recursive: true });
    try {
      await pipeline(Readable.from(this.stream(digest)), createWriteStream(part));
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  /** The bytes as they arrive, over lost connections. Throws DIGEST_MISMATCH at the end when they are not the right ones. */
  async *stream(digest: string): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let received = 0;
    for (let breaks = 0; ; breaks += 1) {
      try {
        for await (const chunk of this.read(digest, received)) {
          hash.update(chunk);
          received += chunk.length;
          yield chunk;
        }
        break;
      } catch (error) {
        if (error instanceof TidemillError) throw error;
        if (breaks >= MAX_BREAKS) throw unreachable(this.baseUrl, error);
        await this.clock.sleep(250 * (breaks + 1));
      }
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== digest) throw mismatch(digest, found);
  }

  private async *read(digest: string, from: number): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const response = await this.transport.send(() => new Request(this.urlOf(digest), { headers }));
    // A server may answer a range with everything.
    let skip = response.status === 206 ? 0 : from;
    if (response.body === null) return;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (skip < chunk.length) yield chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
  }

  private async putWhole(digest: string, bytes: ByteSource): Promise<void> {
    const make = () =>
      new Request(this.urlOf(digest), {
        method: 'PUT',
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(bytes.sizeBytes),
        },
        body: bytes.body(0, bytes.sizeBytes),
        duplex: 'half',
      });
    const response = await this.transport.send(make, { deadlineMs: 120_000 });
    await response.body?.cancel();
  }

  private async isStored(digest: string): Promise<boolean> {
    const headers = { range: 'bytes=0-0' };
    try {
      const response = await this.transport.send(
        () => new Request(this.urlOf(digest), { headers }),
      );
      await response.body?.cancel();
      return true;
    } catch (error) {
      if (error instanceof TidemillError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  private urlOf(digest: string): string {
    return `${this.baseUrl}/v1/artifacts/${digest}`;
  }
}

const mismatch = (digest: string, found: string) =>
  new TidemillError({
    code: 'DIGEST_MISMATCH',
    status: null,
    title: 'The bytes are not the right ones',
    detail: `${digest} was asked for, but the bytes that came are ${found}.`,
    next: 'Fetch them again; if it stays, what the orchestrator stores is damaged.',
  });
