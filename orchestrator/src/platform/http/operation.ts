import {
  applyDecorators,
  createParamDecorator,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';
import { ROUTES, type OperationId } from '@tidemill/protocol';
import type { Request } from 'express';
import type { z } from 'zod';
import type { Caller } from './caller.js';

export const OPERATION = 'tidemill:operation';

const METHODS = {
  get: RequestMethod.GET,
  head: RequestMethod.HEAD,
  post: RequestMethod.POST,
  put: RequestMethod.PUT,
  patch: RequestMethod.PATCH,
  delete: RequestMethod.DELETE,
} as const;

/** Serves an operation of the route table: its address, status, access and shapes come from there. */
export function Operation(id: OperationId): MethodDecorator {
  const { method, path, status } = ROUTES[id];
  return applyDecorators(
    RequestMapping({ method: METHODS[method], path: path.replaceAll(/\{(\w+)\}/g, ':$1') }),
    HttpCode(status),
    SetMetadata(OPERATION, id),
  );
}

type Routes = typeof ROUTES;
type Field<Id extends OperationId, Key extends string> = Routes[Id] extends {
  readonly [K in Key]: infer Schema;
}
  ? Schema extends z.ZodType
    ? z.output<Schema>
    : undefined
  : undefined;

/** What an operation was asked, checked against the route table. `body` is undefined where bytes are streamed. */
export interface InputOf<Id extends OperationId> {
  readonly params: Field<Id, 'params'>;
  readonly query: Field<Id, 'query'>;
  readonly headers: Field<Id, 'headers'>;
  readonly body: Field<Id, 'body'>;
  readonly caller: Routes[Id]['access'] extends 'public' ? Caller | null : Caller;
}

/** A request the guard has checked. */
export interface CheckedRequest extends Request {
  input?: InputOf<OperationId>;
  /** The body's exact text, for digests. */
  bodyText?: string;
}

/** The checked input of the operation. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<CheckedRequest>().input;
});
