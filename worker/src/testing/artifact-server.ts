import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Digest } from '@tidemill/protocol';
import { anId, digestOf } from './builders.js';

interface Upload {
  readonly digest: Digest;
  readonly sizeBytes: number;
  bytes: Buffer;
}

/** The artifact API, with what can go wrong on its way as members. */
export class ArtifactServer {
  readonly blobs = new Map<string, Buffer>();
  readonly uploads = new Map<string, Upload>();
  /** One line for each request: method, path and range or offset. */
  readonly requests: string[] = [];
  /** The next answers with bytes break off after so many of them. */
  readonly breakAfter: number[] = [];
  /** The next requests are answered with these statuses. */
  readonly statuses: number[] = [];
  /** The next chunks are taken, but the connection breaks before the answer. */
  lostAnswers = 0;
  /** After so many chunks more, every upload has expired. */
  expiresAfterChunks = 0;
  ignoresRanges = false;
  token = 'session-token';
  url = '';

  private readonly server = createServer((request, response) => {
    this.answer(request, response).catch(() => response.destroy());
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('not a network address');
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  put(bytes: Buffer): { digest: Digest; sizeBytes: number } {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { digest, sizeBytes: bytes.length };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const where = headers.range ?? headers['upload-offset'] ?? '';
    this.requests.push(`${method} ${url.replace(/[0-9a-f]{56}$/, '…')} ${String(where)}`.trim());
    const body = await buffer(request);
    const status = this.statuses.shift();
    if (status !== undefined) return void response.writeHead(status).end('{}');
    if (headers.authorization !== `Bearer ${this.token}`) return void response.writeHead(401).end();

    if (url === '/v1/artifacts/uploads')
      return this.begin(JSON.parse(body.toString()) as Upload, response);
    const upload = this.uploads.get(url.replace('/v1/artifacts/uploads/', ''));
    if (url.includes('/uploads/')) {
      if (upload === undefined) return void response.writeHead(410).end();
      return this.proceed(url, upload, Number(where), method === 'PATCH' ? body : null, response);
    }
    if (method === 'PUT') return this.store(url, body, response);
    return this.send(url, headers.range, response);
  }

  private send(url: string, range: string | undefined, response: ServerResponse): void {
    const blob = this.blobs.get(url.replace('/v1/artifacts/', ''));
    if (blob === undefined) return void response.writeHead(404).end();
    const from =
      range === undefined || this.ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
    const bytes = blob.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': bytes.length,
      ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` }),
    });
    const breakAfter = this.breakAfter.shift();
    if (breakAfter === undefined) return void response.end(bytes);
    response.write(bytes.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 20));
  }

  private store(url: string, body: Buffer, response: ServerResponse): void {
    const digest = url.replace('/v1/artifacts/', '');
    if (digestOf(body) !== digest) return void response.writeHead(422).end();
    this.blobs.set(digest, body);
    response.writeHead(201).end('{}');
  }

  private begin(wanted: Upload, response: ServerResponse): void {
    const id = anId('upload');
    const upload = { ...wanted, bytes: Buffer.alloc(0) };
    this.uploads.set(id, upload);
    this.view(id, upload, 201, response);
  }

  private proceed(
    url: string,
    upload: Upload,
    offset: number,
    body: Buffer | null,
    response: ServerResponse,
  ): void {
    const id = url.replace('/v1/artifacts/uploads/', '');
    if (body === null) return this.view(id, upload, 200, response);
    if (offset !== upload.bytes.length) return void response.writeHead(409).end('{}');
    upload.bytes = Buffer.concat([upload.bytes, body]);
    if (upload.bytes.length === upload.sizeBytes) this.blobs.set(upload.digest, upload.bytes);
    if (this.expiresAfterChunks > 0) {
      this.expiresAfterChunks -= 1;
      if (this.expiresAfterChunks === 0) this.uploads.clear();
    }
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1;
      return void response.destroy();
    }
    this.view(id, upload, 200, response);
  }

  private view(
    id: string,
    { bytes, sizeBytes }: Upload,
    status: number,
    response: ServerResponse,
  ): void {
    const body = { id, offset: bytes.length, sizeBytes, expiresAt: '2030-01-01T00:00:00.000Z' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}
