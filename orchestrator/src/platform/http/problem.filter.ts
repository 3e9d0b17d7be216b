import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { DatabaseUnavailableError } from '../db/db.js';
import { problem, ProblemError } from './problem.js';

/** Seconds after which a client should try again when the database was away. */
const RETRY_AFTER_S = 2;

/** Turns whatever was thrown into a problem document; what we did not foresee says nothing of its inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const error = this.asProblem(cause, request);
    const body = problem(error.code, error.detail, request.path, error.more);
    if (error.more.retryAfterS !== undefined)
      response.setHeader('Retry-After', String(error.more.retryAfterS));
    if (body.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(body.status).type('application/problem+json').send(JSON.stringify(body));
  }

  private asProblem(cause: unknown, request: Request): ProblemError {
    if (cause instanceof ProblemError) return cause;
    if (cause instanceof DatabaseUnavailableError) {
      this.log.warn({ err: cause, path: request.path }, 'request without a database');
      return new ProblemError('UNAVAILABLE', 'The database does not answer.', {
        retryAfterS: RETRY_AFTER_S,
      });
    }
    if (cause instanceof HttpException) {
      const status = cause.getStatus();
      if (status === 404)
        return new ProblemError('NOT_FOUND', `${request.method} ${request.path} is not here.`);
      if (status === 413)
        return new ProblemError('JSON_TOO_LARGE', 'The body is larger than this address takes.');
      if (status < 500) return new ProblemError('VALIDATION_FAILED', cause.message);
    }
    this.log.error({ err: cause, method: request.method, path: request.path }, 'request failed');
    return new ProblemError('INTERNAL', 'The request failed for a reason that is ours.');
  }
}
