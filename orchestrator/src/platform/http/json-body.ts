import { parseJson } from '@tidemill/protocol';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { CheckedRequest } from './operation.js';
import { ProblemError } from './problem.js';

/** Largest JSON body: a batch of 100 specs of ordinary size. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Methods whose bodies are documents everywhere. */
const METHODS = new Set(['POST', 'DELETE']);
/** Where PUT and PATCH send bytes, even if they happen to be JSON. */
const BYTES_PATH = '/v1/artifacts/';
const TYPES = ['application/json', 'application/*+json'];

/** Whether the body of a request is read as a whole before anything is done. */
export const isDocument = ({ method, path }: Pick<Request, 'method' | 'path'>): boolean =>
  METHODS.has(method) || !path.startsWith(BYTES_PATH);

/** Reads a JSON body as text and parses it with the scanner for strangers' JSON; other bodies are left to be streamed. */
export function jsonBody(): RequestHandler[] {
  const readText = express.text({ type: TYPES, limit: MAX_BODY_BYTES, defaultCharset: 'utf-8' });
  return [
    (request: Request, response: Response, next: NextFunction) => {
      if (isDocument(request)) {
        readText(request, response, (cause?: unknown) => next(cause && unreadable(cause)));
      } else next();
    },
    (request: Request, _response: Response, next: NextFunction) => {
      if (typeof request.body !== 'string') {
        next();
        return;
      }
      const parsed = parseJson(request.body, MAX_BODY_BYTES);
      if (!parsed.ok) {
        const where = parsed.position === undefined ? '' : ` (character ${parsed.position})`;
        next(new ProblemError(parsed.code, `${parsed.message}${where}`));
        return;
      }
      (request as CheckedRequest).bodyText = request.body;
      request.body = parsed.value;
      next();
    },
  ];
}

/** What the reader of bodies says of one that it could not read, by its status. */
function unreadable(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('status' in cause)) return cause;
  switch (cause.status) {
    case 413:
      return new ProblemError('JSON_TOO_LARGE', `The limit is ${MAX_BODY_BYTES} bytes.`);
    case 415:
      return new ProblemError(
        'UNSUPPORTED_MEDIA_TYPE',
        `The body cannot be read: ${cause.message}.`,
      );
    case 400:
      return new ProblemError('JSON_MALFORMED', `The body cannot be read: ${cause.message}.`);
    default:
      return cause;
  }
}
