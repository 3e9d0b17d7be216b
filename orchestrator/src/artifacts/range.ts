import type { Digest } from '@tidemill/protocol';
import type { ByteRange } from './artifact.store.js';

/** The headers of a read that decide what is sent. */
export interface ReadHeaders {
  readonly method: string;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export type ReadAnswer =
  | { readonly status: 200 }
  | { readonly status: 206; readonly range: ByteRange }
  | { readonly status: 304 }
  | { readonly status: 416 };

/** The entity tag of an artifact: its bytes never change, so it is its digest. */
export const etagOf = (digest: Digest): string => `"${digest}"`;

/** What RFC 9110 says to send: everything, one range, nothing new, or a refusal. Several ranges at once are answered with everything. */
export function answerFor(headers: ReadHeaders, digest: Digest, sizeBytes: number): ReadAnswer {
  if (headers.ifNoneMatch !== undefined && matches(headers.ifNoneMatch, digest))
    return { status: 304 };
  if (headers.range === undefined || headers.method !== 'GET') return { status: 200 };
  if (headers.ifRange !== undefined && headers.ifRange.trim() !== etagOf(digest))
    return { status: 200 };
  const parsed = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(headers.range);
  const [, first = '', last = ''] = parsed ?? [];
  if (first === '' && last === '') return { status: 200 };
  return first === '' ? suffix(Number(last), sizeBytes) : between(Number(first), last, sizeBytes);
}

function suffix(length: number, sizeBytes: number): ReadAnswer {
  if (length === 0 || sizeBytes === 0) return { status: 416 };
  return { status: 206, range: { first: Math.max(0, sizeBytes - length), last: sizeBytes - 1 } };
}

function between(first: number, lastText: string, sizeBytes: number): ReadAnswer {
  const last = lastText === '' ? sizeBytes - 1 : Number(lastText);
  // A range that ends before it begins is not a range, and is ignored; one that begins after the end cannot be had.
  if (lastText !== '' && last < first) return { status: 200 };
  if (first >= sizeBytes) return { status: 416 };
  return { status: 206, range: { first, last: Math.min(last, sizeBytes - 1) } };
}

function matches(header: string, digest: Digest): boolean {
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etagOf(digest));
}
