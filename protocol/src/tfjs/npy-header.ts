import { type TableResult, fault, found } from './table-fault.js';

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/**
 * Reads the one kind of Python literal that NumPy writes: a dict with exactly `descr`, `fortran_order` and `shape`.
 * `at` is the header's place in the file, for the fault's offset.
 */
export function parseNpyHeader(bytes: Uint8Array, at: number): TableResult<NpyHeader> {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte); // version 1 and 2 headers are Latin-1

  const body = DICT.exec(text)?.[1];
  if (body === undefined) return fault('NPY_HEADER', 'the header is not a dict', { offset: at });

  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: readonly number[] | undefined;
  let rest = body;
  while (rest !== '') {
    const member = MEMBER.exec(rest);
    if (member === null)
      return fault(
        'NPY_HEADER',
        `the header cannot be read from ${JSON.stringify(rest.slice(0, 40))}`,
        { offset: at },
      );
    const [whole, , key, , string, flag, tuple] = member;
    if (key === 'descr' && string !== undefined && descr === undefined) descr = string;
    else if (key === 'fortran_order' && flag !== undefined && fortranOrder === undefined)
      fortranOrder = flag === 'True';
    else if (key === 'shape' && tuple !== undefined && shape === undefined)
      shape = (tuple.match(/\d+/g) ?? []).map(Number);
    else
      return fault('NPY_HEADER', `the header has an unexpected or repeated member ${key}`, {
        offset: at,
      });
    rest = rest.slice(whole.length);
  }

  if (descr === undefined || fortranOrder === undefined || shape === undefined)
    return fault('NPY_HEADER', 'the header lacks descr, fortran_order or shape', { offset: at });
  return found({ descr, fortranOrder, shape });
}

/** Blanks as Python has them between the parts of a literal: `\s` would take no-break spaces and more for some. */
const BLANKS = '[ \\t\\f\\r\\n]*';
const DICT = new RegExp(`^\\{${BLANKS}(.*?),?${BLANKS}\\}${BLANKS}$`, 's');
const KEY = String.raw`(['"])(\w{1,20})\1`;
const TEXT = String.raw`(['"])([^'"\\]{0,16})\3`;
const SIZE = String.raw`\d{1,12}`;
/** It is (), (n,) or (n, m, …): a single number without its comma is not a tuple in Python. */
const TUPLE = `\\((|${SIZE}${BLANKS},|${SIZE}(?:${BLANKS},${BLANKS}${SIZE}){1,15}${BLANKS},?)${BLANKS}\\)`;
const MEMBER = new RegExp(
  `^${BLANKS}${KEY}${BLANKS}:${BLANKS}(?:${TEXT}|(True|False)|${TUPLE})${BLANKS}(?:,${BLANKS}|$)`,
);
