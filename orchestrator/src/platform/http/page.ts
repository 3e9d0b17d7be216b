import { ProblemError } from './problem.js';

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

/**
 * A page of a list from up to `limit` + 1 rows that were found. A cursor names its list and the last item's position; clients
 * carry it unread, so what it holds may change.
 */
export function pageOf<T>(
  list: string,
  found: readonly T[],
  limit: number,
  positionOf: (item: T) => string,
): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    nextCursor:
      found.length > limit && last !== undefined ? toCursor(list, positionOf(last)) : null,
  };
}

export const toCursor = (list: string, position: string): string =>
  Buffer.from(`${list} ${position}`).toString('base64url');

/** The position behind a cursor, in the form that the list's positions have, or null for the first page. @throws ProblemError CURSOR_INVALID */
export function positionOf(
  list: string,
  cursor: string | undefined,
  form: RegExp,
): RegExpExecArray | null {
  if (cursor === undefined) return null;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const match = text.startsWith(`${list} `) ? form.exec(text.slice(list.length + 1)) : null;
  if (match === null)
    throw new ProblemError('CURSOR_INVALID', 'The cursor is not a page of this list.');
  return match;
}
