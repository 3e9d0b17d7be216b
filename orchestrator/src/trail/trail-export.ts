import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { drained } from '../platform/http/drained.js';
import { ProblemError } from '../platform/http/problem.js';
import { TrailReader } from './trail.reader.js';
import { Witnesses } from './witnesses.js';

/** Events read at once: a page is a few hundred kilobytes. */
const PAGE = 1_000;
/** Exports one process serves at a time; each reads as fast as its client does. */
const MAX_EXPORTS = 8;
const RETRY_AFTER_S = 10;
/** Checkpoints at the head of an export: the newest ones, for whoever looks for a certain witness. */
const CHECKPOINTS = 20;

/** Streams the trail as lines, from a place on: an export that was cut off goes on where it ended. */
@Injectable()
export class TrailExport {
  private running = 0;

  constructor(
    private readonly reader: TrailReader,
    private readonly witnesses: Witnesses,
  ) {}

  /** One JSON document a line: first checkpoints, the newest ahead, when it begins at 0; then events in order of place. */
  async send(from: number, response: Response): Promise<void> {
    if (this.running >= MAX_EXPORTS) {
      const detail = `${MAX_EXPORTS} exports are running.`;
      throw new ProblemError('UNAVAILABLE', detail, { retryAfterS: RETRY_AFTER_S });
    }
    this.running += 1;
    try {
      response.writeHead(200, {
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
      });
      if (from === 0) {
        // Ahead of the events: those that come after it are more than it covers, never fewer.
        for (const { witnesses, ...checkpoint } of await this.witnesses.list(null, CHECKPOINTS)) {
          response.write(`${JSON.stringify({ checkpoint, witnesses })}\n`);
        }
      }
      for (let next = from; !response.destroyed;) {
        const events = await this.reader.list(next, PAGE);
        next += events.length;
        const text = events.map((event) => `${JSON.stringify({ event })}\n`).join('');
        if (!response.write(text)) await drained(response);
        if (events.length < PAGE) break;
      }
      response.end();
    } catch (error) {
      // The status is sent: only a connection that breaks can say now that there is more.
      if (!response.headersSent) throw error;
      response.destroy();
    } finally {
      this.running -= 1;
    }
  }
}
