import type { Digest } from '@tidemill/protocol';
import type { ArtifactCache } from './cache.js';
import { download } from './download.js';
import type { ArtifactStore, InputRef, OutputFile, PinnedFile } from './store.js';
import type { TransferPorts } from './transfer.js';
import { upload, UPLOAD_SIZES, type UploadSizes } from './upload.js';

interface Running {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
}

/** The orchestrator's artifact API behind a cache. Attempts that want the same bytes share one download. */
export class HttpArtifacts implements ArtifactStore {
  private readonly running = new Map<Digest, Running>();

  constructor(
    private readonly ports: TransferPorts,
    private readonly cache: ArtifactCache,
    private readonly sizes: UploadSizes = UPLOAD_SIZES,
  ) {}

  async fetch(input: InputRef, signal: AbortSignal): Promise<PinnedFile> {
    const pinned = await this.cache.reserve(input);
    try {
      // Before looking at the disk: a download that is just ending renames its file.
      const isRunning = this.running.has(input.digest);
      if (isRunning || !(await this.cache.has(input))) await this.share(input, signal);
      signal.throwIfAborted();
      return pinned;
    } catch (error) {
      pinned.release();
      throw error;
    }
  }

  upload(file: OutputFile, signal: AbortSignal): Promise<void> {
    return upload(this.ports, file, signal, this.sizes);
  }

  /** Waits for the one download of these bytes; it stops only when nobody waits any more. */
  private async share(input: InputRef, signal: AbortSignal): Promise<void> {
    const running = await this.joinable(input);
    running.waiting += 1;
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) resolve();
    });
    try {
      await Promise.race([running.done, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      running.waiting -= 1;
      if (running.waiting === 0) running.stop.abort(new Error('nobody waits for it'));
    }
  }

  /** A download that is being stopped still has its file open: the next one begins after it. */
  private async joinable(input: InputRef): Promise<Running> {
    let running = this.running.get(input.digest);
    while (running?.stop.signal.aborted === true) {
      await running.done.catch(() => undefined);
      running = this.running.get(input.digest);
    }
    return running ?? this.begin(input);
  }

  private begin(input: InputRef): Running {
    const stop = new AbortController();
    const done = download(this.ports, input, this.cache.pathOf(input.digest), stop.signal).finally(
      () => this.running.delete(input.digest),
    );
    // Everybody who waited may have left before it fails.
    done.catch(() => undefined);
    const running = { done, stop, waiting: 0 };
    this.running.set(input.digest, running);
    return running;
  }
}
