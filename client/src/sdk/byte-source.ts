import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** Bytes to store: in memory, or a file by its path. A file must not change until it is stored. */
export type ArtifactSource = Uint8Array | { readonly path: string };

/** Bytes of known size that can be read again from any offset. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** The bytes [from, to) as the body of a request. */
  body(from: number, to: number): Uint8Array<ArrayBuffer> | ReadableStream;
}

export async function openSource(source: ArtifactSource): Promise<ByteSource> {
  if (source instanceof Uint8Array) {
    return {
      sizeBytes: source.length,
      body: (from, to) => new Uint8Array(source.subarray(from, to)),
    };
  }
  const { size } = await stat(source.path);
  return {
    sizeBytes: size,
    body: (from, to) => {
      if (to === from) return new Uint8Array();
      const file = createReadStream(source.path, { start: from, end: to - 1 });
      return Readable.toWeb(file) as ReadableStream; // Two types of one and the same web stream.
    },
  };
}

/** `sha256:…` of the source, read as a stream. */
export async function digestOf(source: ArtifactSource): Promise<string> {
  const hash = createHash('sha256');
  if (source instanceof Uint8Array) hash.update(source);
  else for await (const chunk of createReadStream(source.path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
