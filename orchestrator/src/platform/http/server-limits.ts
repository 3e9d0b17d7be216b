import type { NextFunction, Request, Response } from 'express';
import type { Server } from 'node:http';

/** How long a connection may take for what, in milliseconds. */
export interface ServerLimits {
  /** From its first byte to the end of its headers. */
  readonly headersMs: number;
  /** From its first byte to its last. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** A document, other than bytes that are streamed, from its headers to its last byte. */
  readonly documentMs: number;
}

const LIMITS: ServerLimits = {
  headersMs: 20_000,
  // The largest artifact, of 4 GiB, at 200 kB/s. The artifacts stage cuts a body off that has stood still for 30 s.
  requestMs: 6 * 3_600_000,
  // Longer than the minute after which proxies drop an idle connection, or they would send into one that is just being closed.
  keepAliveMs: 75_000,
  documentMs: 60_000,
};

/** No request of ours has more than a dozen. Their size is bounded by Node, at 16 KiB together. */
const MAX_HEADERS = 64;

/** Bounds what a connection costs before anybody has looked at what it wants. */
export function boundServer(server: Server, limits: ServerLimits = LIMITS): void {
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  server.maxHeadersCount = MAX_HEADERS;
}

/** Cuts off a document that does not arrive in time; bytes by PUT and PATCH may take as long as the server lets them. */
export function documentDeadline({ documentMs }: ServerLimits = LIMITS) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    if (request.method === 'POST' || request.method === 'DELETE') {
      const timer = setTimeout(() => {
        if (!request.complete) request.destroy();
      }, documentMs);
      request.once('close', () => clearTimeout(timer));
    }
    next();
  };
}
