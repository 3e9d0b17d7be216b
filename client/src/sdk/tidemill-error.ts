import type { components } from './generated/api.js';

/** Codes of the API, and those of what can go wrong before or after it answered. */
export type TidemillErrorCode =
  | components['schemas']['Problem']['code']
  | 'UNREACHABLE'
  | 'BAD_ANSWER'
  | 'CHALLENGE_REFUSED'
  | 'WAIT_TIMEOUT';

interface Facts {
  readonly code: TidemillErrorCode;
  readonly status: number | null;
  readonly title: string;
  readonly detail: string;
  readonly next: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[] | undefined;
  readonly missing?: string | undefined;
  readonly cause?: unknown;
}

/** Whatever the SDK throws: a stable code, what was wrong, and what to do next. */
export class TidemillError extends Error {
  override readonly name = 'TidemillError';
  readonly code: TidemillErrorCode;
  /** The HTTP status, or null when there was no answer to speak of. */
  readonly status: number | null;
  readonly title: string;
  readonly detail: string;
  readonly next: string;
  /** The members of the request that were wrong; empty when that was not the trouble. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  /** Base units missing, for INSUFFICIENT_FUNDS. */
  readonly missing: string | null;

  constructor(facts: Facts) {
    super(`${facts.code}: ${facts.detail}`, { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.title = facts.title;
    this.detail = facts.detail;
    this.next = facts.next;
    this.errors = facts.errors ?? [];
    this.missing = facts.missing ?? null;
  }
}

/** The error of an answer that is not the wished one. */
export async function problemOf(response: Response): Promise<TidemillError> {
  const text = await response.text().catch(() => '');
  const problem = parseProblem(text);
  if (problem !== null) return new TidemillError({ ...problem, status: response.status });
  return new TidemillError({
    code: 'BAD_ANSWER',
    status: response.status,
    title: 'The answer is not one of Tidemill',
    detail: `${response.url} answered ${response.status} with ${text === '' ? 'nothing' : JSON.stringify(text.slice(0, 120))}`,
    next: 'Check that the address is that of an orchestrator.',
  });
}

function parseProblem(text: string): components['schemas']['Problem'] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { code, detail, next } = parsed as Record<string, unknown>;
  if (![code, detail, next].every((member) => typeof member === 'string')) return null;
  // The members that are read have the right types; the rest is shown as it is.
  return parsed as components['schemas']['Problem'];
}

/** Nobody answered at the address. */
export function unreachable(url: string, cause: unknown): TidemillError {
  return new TidemillError({
    code: 'UNREACHABLE',
    status: null,
    title: 'No answer',
    detail: `${new URL(url).origin} does not answer: ${rootOf(cause)}`,
    next: 'Check the address, and that the orchestrator runs (tidemill up starts one on this machine).',
    cause,
  });
}

/** fetch says only "fetch failed"; what happened stands in the innermost cause. */
function rootOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  if (!(root instanceof Error)) return String(root);
  const { code } = root as NodeJS.ErrnoException;
  return code ?? root.message;
}
