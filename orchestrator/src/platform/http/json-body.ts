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

/** Reads a JSON body as text and parses it with the scanner for strangers' JSON; other bodies are left to be streamed. */
export function jsonBody(): RequestHandler[] {
  return [
    express.text({
      type: ['application/json', 'application/*+json'],
      limit: MAX_BODY_BYTES,
      defaultCharset: 'utf-8',
    }),
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
