import { rename, writeFile } from 'node:fs/promises';
import type { CancelTimer, Timers } from '../clock.js';
import type { Log } from '../log.js';
import type { StatusReport } from './report.js';

const EVERY_MS = 1_000;

/** Writes the status where another process can read it: whole or not at all, once a second and at the end. */
export class StatusFile {
  private cancelNext: CancelTimer = () => undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly report: () => StatusReport,
    private readonly ports: { readonly timers: Timers; readonly log: Log },
  ) {}

  start(): void {
    this.writing = this.write().then(() => {
      this.cancelNext = this.ports.timers.after(EVERY_MS, () => this.start());
    });
  }

  /** Writes the last status. */
  async end(): Promise<void> {
    await this.writing;
    this.cancelNext();
    await this.write();
  }

  private async write(): Promise<void> {
    const fresh = `${this.path}.new`;
    try {
      await writeFile(fresh, `${JSON.stringify(this.report(), null, 2)}\n`, { mode: 0o600 });
      await rename(fresh, this.path);
    } catch (error) {
      // The agent works without it, and the next second tries again.
      this.ports.log.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'status not written',
      );
    }
  }
}
