import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Telemetry } from '../telemetry/telemetry.js';

/**
 * Counts every request once it is answered, by its route and never by its address: addresses hold ids, and strangers could make
 * as many series as they can think of addresses.
 */
export function countRequests(telemetry: Telemetry): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    response.once('finish', () => {
      telemetry.httpRequests.inc({
        method: request.method,
        route: routeOf(request),
        status: response.statusCode,
      });
    });
    next();
  };
}

/** The pattern that answered, such as `/v1/jobs/:id`; Express leaves it on the request. */
function routeOf(request: Request): string {
  const route = request.route as { readonly path?: unknown } | undefined; // Express types it as any
  return typeof route?.path === 'string' ? route.path : 'none';
}
