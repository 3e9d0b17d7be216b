import { ERRORS, type ErrorCode, type Problem } from '@tidemill/protocol';

/** An answer that is not the wished one. Only the edge turns it into HTTP. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    readonly more: Pick<Problem, 'errors' | 'missing' | 'budget'> & {
      readonly retryAfterS?: number;
    } = {},
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
  }
}

/** The problem document of an error code (RFC 9457). */
export function problem(
  code: ErrorCode,
  detail: string,
  instance: string,
  more: ProblemError['more'] = {},
): Problem {
  const { status, title, next } = ERRORS[code];
  const { retryAfterS: _, ...members } = more;
  return {
    type: `urn:tidemill:error:${code}`,
    title,
    status,
    code,
    detail,
    next,
    instance,
    ...members,
  };
}
