import type { Request } from 'express';
import { ProblemError } from '../platform/http/problem.js';

/** A sender or reader that moves no byte for this long is cut off. */
export const IDLE_MS = 30_000;
/** After a refusal the rest of the body is thrown away for this long, so that the sender gets to read why. */
const LINGER_MS = 2_000;

/**
 * Hands a request's body on while it arrives. `declaredBytes` is its Content-Length, which the server holds it to.
 * @throws ProblemError VALIDATION_FAILED when the body broke off; what `take` throws
 */
export async function streamBody<T>(
  request: Request,
  take: (source: Request, declaredBytes: number | undefined) => Promise<T>,
): Promise<T> {
  const length = request.headers['content-length'];
  request.setTimeout(IDLE_MS, () => {
    if (!request.complete) request.destroy();
  });
  try {
    return await take(request, length === undefined ? undefined : Number(length));
  } catch (cause) {
    // Nobody is there to read the answer, and it is no fault of ours.
    if (request.destroyed && !request.complete)
      throw new ProblemError('VALIDATION_FAILED', 'The body broke off.', {}, { cause });
    letGo(request);
    throw cause;
  }
}

function letGo(request: Request): void {
  if (request.complete) return;
  const cut = setTimeout(() => request.socket.destroy(), LINGER_MS);
  request.once('end', () => clearTimeout(cut)).once('close', () => clearTimeout(cut));
  request.resume();
}
