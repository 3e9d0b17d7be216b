import type { Failure } from '../failure.js';
import type { Io } from '../io.js';
import { printable } from './printable.js';

/** Says on standard error what went wrong and what to do next; as one JSON document when that was asked for. */
export function showFailure(io: Io, failure: Failure, json: boolean): void {
  const { code, status, detail, next, errors } = failure;
  if (json) {
    io.err(`${JSON.stringify({ error: { code, status, detail, next, errors } })}\n`);
    return;
  }
  const { red, bold, dim } = io.colors;
  const answered = status === null ? '' : dim(` (${status})`);
  io.err(`${red(bold(printable(code)))}${answered} ${printable(detail)}\n`);
  for (const { path, message } of errors)
    io.err(`  ${bold(printable(path))}: ${printable(message)}\n`);
  if (next !== null) io.err(`${dim('next:')} ${printable(next)}\n`);
}
