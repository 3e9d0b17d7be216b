import type { Response } from 'express';

/** A client that reads nothing for this long has most likely gone without a word. */
const MAX_UNREAD_MS = 30_000;

/** Until the client has read what was sent, has left, or has stood still for too long and is cut off. */
export function drained(response: Response): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('drain', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(() => {
      response.destroy();
      done();
    }, MAX_UNREAD_MS);
    response.on('drain', done).on('close', done);
  });
}
