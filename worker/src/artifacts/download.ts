import { createHash, type Hash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { ArtifactError, type InputRef } from './store.js';
import { call, InterruptedError, persist, RefusedError, type TransferPorts } from './transfer.js';

/**
 * Brings an artifact to `path`. Bytes go to `path.part` and are hashed as they arrive; an interrupted download goes on where it
 * stopped, in this process or the next. Only a file with the right size and digest gets its name.
 *
 * @throws ArtifactError when it is not there, is larger than declared or has another digest
 */
export async function download(
  ports: TransferPorts,
  input: InputRef,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const partPath = `${path}.part`;
  const file = await open(partPath, 'a+', 0o600);
  try {
    const part = await Part.resume(file, input);
    await persist(ports, signal, () => part.receive(ports, signal));
    await file.datasync();
    await file.chmod(0o444);
    await rename(partPath, path);
  } catch (error) {
    if (error instanceof ArtifactError) await rm(partPath, { force: true });
    signal.throwIfAborted();
    throw unavailable(error, input);
  } finally {
    await file.close();
  }
}

function unavailable(error: unknown, { digest }: InputRef): unknown {
  if (!(error instanceof RefusedError) && !(error instanceof InterruptedError)) return error;
  return new ArtifactError('INPUT_UNAVAILABLE', `${digest} cannot be fetched: ${error.message}`, {
    cause: error,
  });
}

/** What has arrived so far. */
class Part {
  private hash: Hash = createHash('sha256');
  private sizeBytes = 0;
  private hasFailedDigest = false;

  private constructor(
    private readonly file: FileHandle,
    private readonly input: InputRef,
  ) {}

  static async resume(file: FileHandle, input: InputRef): Promise<Part> {
    const part = new Part(file, input);
    for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
      // A stream without an encoding gives buffers.
      part.count(chunk as Buffer);
    }
    if (part.sizeBytes > input.sizeBytes) await part.restart();
    return part;
  }

  /** Receives what is missing. */
  async receive(ports: TransferPorts, signal: AbortSignal): Promise<void> {
    const hadBytes = this.sizeBytes;
    try {
      if (this.sizeBytes < this.input.sizeBytes) await this.receiveRest(ports, signal);
    } catch (error) {
      if (error instanceof ArtifactError || error instanceof RefusedError) throw error;
      const message = error instanceof InterruptedError ? error.message : 'the download broke off';
      throw new InterruptedError(message, this.sizeBytes > hadBytes, { cause: error });
    }
    if (this.sizeBytes < this.input.sizeBytes) {
      throw new InterruptedError('the download ended early', this.sizeBytes > hadBytes);
    }
    await this.checkDigest();
  }

  private async receiveRest(ports: TransferPorts, signal: AbortSignal): Promise<void> {
    const from = this.sizeBytes;
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const path = `/v1/artifacts/${this.input.digest}`;
    const { response, moved, done } = await call(
      ports,
      { method: 'GET', path, headers },
      signal,
      [416],
    );
    try {
      if (!continuesAt(response, from)) await this.restart();
      if (response.status === 416 || response.body === null) {
        await response.body?.cancel();
        return;
      }
      // A fetched body gives bytes; its type does not say so.
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        moved();
        await this.take(chunk);
      }
    } finally {
      done();
    }
  }

  private async take(chunk: Uint8Array): Promise<void> {
    if (this.sizeBytes + chunk.length > this.input.sizeBytes) {
      throw new ArtifactError(
        'INPUT_CORRUPT',
        `${this.input.digest} is larger than the ${this.input.sizeBytes} bytes declared`,
      );
    }
    await this.file.appendFile(chunk);
    this.count(chunk);
  }

  private async checkDigest(): Promise<void> {
    if (`sha256:${this.hash.copy().digest('hex')}` === this.input.digest) return;
    await this.restart();
    // Once may be a bad resume; twice is what the orchestrator really has.
    if (this.hasFailedDigest) {
      throw new ArtifactError(
        'INPUT_CORRUPT',
        `the bytes of ${this.input.digest} have another digest`,
      );
    }
    this.hasFailedDigest = true;
    throw new InterruptedError('the digest does not fit', false);
  }

  private async restart(): Promise<void> {
    await this.file.truncate(0);
    this.hash = createHash('sha256');
    this.sizeBytes = 0;
  }

  private count(chunk: Uint8Array): void {
    this.hash.update(chunk);
    this.sizeBytes += chunk.length;
  }
}

/** Whether the answer's first byte is the one asked for; a server may ignore a range and send everything. */
function continuesAt(response: Response, from: number): boolean {
  if (from === 0) return response.status === 200;
  return (
    response.status === 206 &&
    (response.headers.get('content-range') ?? '').startsWith(`bytes ${from}-`)
  );
}
