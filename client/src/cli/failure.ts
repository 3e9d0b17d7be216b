import { ChainError } from '../chain/chain-error.js';
import { TidemillError } from '../sdk/tidemill-error.js';
import { EXIT, type ExitCode } from './exit-code.js';

/** Something the person at the terminal can put right: what is wrong, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly next: string,
    readonly exitCode: ExitCode = EXIT.usage,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Any error as the command shows it. */
export interface Failure {
  readonly code: string;
  readonly status: number | null;
  readonly detail: string;
  readonly next: string | null;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly exitCode: ExitCode;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof TidemillError) {
    const { code, status, detail, next, errors } = error;
    return { code, status, detail, next, errors, exitCode: exitOf(error) };
  }
  const nothing = { status: null, errors: [] };
  if (error instanceof CliError) {
    const { message: detail, next, exitCode } = error;
    return {
      ...nothing,
      code: exitCode === EXIT.usage ? 'USAGE' : 'FAILED',
      detail,
      next,
      exitCode,
    };
  }
  if (error instanceof ChainError) {
    const { code, message: detail, next } = error;
    const exitCode =
      code === 'RPC_UNREACHABLE' ? EXIT.noAccess : code === 'UNKNOWN' ? EXIT.failed : EXIT.refused;
    return { ...nothing, code, detail, next, exitCode };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { ...nothing, code: 'FAILED', detail, next: null, exitCode: EXIT.failed };
}

const NO_ACCESS = new Set(['UNREACHABLE', 'UNAUTHENTICATED', 'LOGIN_REFUSED', 'CHALLENGE_REFUSED']);

function exitOf({ code, status }: TidemillError): ExitCode {
  if (NO_ACCESS.has(code)) return EXIT.noAccess;
  const refused = status !== null && status >= 400 && status < 500;
  return refused || code === 'QUEUE_FULL' ? EXIT.refused : EXIT.failed;
}
