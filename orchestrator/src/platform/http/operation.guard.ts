import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import {
  OFFERED,
  ROUTES,
  runtimeNotOffered,
  type OperationId,
  type Route,
} from '@tidemill/protocol';
import type { z } from 'zod';
import type { Authenticators, Caller } from './caller.js';
import type { RateLimits } from '../limits/rate-limits.js';
import { OPERATION, type CheckedRequest, type InputOf } from './operation.js';
import { ProblemError } from './problem.js';

/** Most faults listed in one answer. */
const MAX_FAULTS = 20;

/** Before any controller: who is asking, may they, and does the request fit its schema. */
export class OperationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticators: Authenticators,
    private readonly rates: Pick<RateLimits, 'charge'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const id = this.reflector.get<OperationId | undefined>(OPERATION, context.getHandler());
    if (id === undefined) return true;
    const route: Route = ROUTES[id];
    const request = context.switchToHttp().getRequest<CheckedRequest>();
    const caller = await this.admit(route, request);
    request.input = {
      params: check(route.params, request.params, 'path'),
      query: check(route.query, request.query, 'query'),
      headers: check(route.headers, request.headers, 'header'),
      body: route.body === 'bytes' ? undefined : checkBody(route, request),
      caller,
    } as InputOf<OperationId>; // made by the schemas of this very operation
    return true;
  }

  private async admit(route: Route, request: CheckedRequest): Promise<Caller | null> {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2);
    const caller =
      scheme?.toLowerCase() === 'bearer' && token
        ? await this.authenticators.identify(token)
        : null;
    if (caller !== null) this.rates.charge(caller, request);
    if (route.access === 'public') return caller;
    if (caller === null) {
      throw new ProblemError(
        'UNAUTHENTICATED',
        token ? 'The token is not known, or has expired.' : 'No bearer token was sent.',
      );
    }
    const [scope, worker] = route.access.split('|');
    if (
      caller.kind === 'worker'
        ? worker !== 'worker'
        : !(caller.scopes as ReadonlySet<string>).has(scope ?? '')
    ) {
      throw new ProblemError('FORBIDDEN', `This needs the scope ${scope}.`);
    }
    return caller;
  }
}

function checkBody(route: Route, request: CheckedRequest): unknown {
  if (route.body === undefined || route.body === 'bytes') return undefined;
  if (request.bodyText === undefined) {
    throw new ProblemError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.');
  }
  return check(route.body, request.body, 'body', route);
}

function check(
  schema: z.ZodType | undefined,
  value: unknown,
  place: string,
  route?: Route,
): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, MAX_FAULTS).map((issue) => ({
    path: [place, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  const wanted = route?.errors.includes('RUNTIME_NOT_OFFERED')
    ? runtimeNotOffered(parsed.error.issues, value)
    : null;
  if (wanted !== null) {
    const detail = `No worker software here offers ${wanted} yet. Offered: ${OFFERED}.`;
    throw new ProblemError('RUNTIME_NOT_OFFERED', detail, { errors });
  }
  throw new ProblemError(
    'VALIDATION_FAILED',
    errors[0] ? `${errors[0].path}: ${errors[0].message}` : 'invalid',
    { errors },
  );
}
