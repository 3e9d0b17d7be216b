import { MAX_CSV_BYTES, MAX_CSV_COLUMNS, MAX_CSV_FIELD_BYTES, MAX_ROWS } from './limits.js';
import { type TableResult, fault, found } from './table-fault.js';
import { decodeUtf8 } from './utf8.js';

/** Gets every field of every row after the header: `bytes[start, end)`, without its quotes. May stop the scan with a fault. */
export type OnField = (
  row: number,
  column: number,
  start: number,
  end: number,
) => ReturnType<typeof fault> | null;

export interface CsvShape {
  readonly columns: readonly string[];
  readonly rows: number;
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Walks a CSV file as RFC 4180 writes it: a header line, comma, LF or CRLF, quotes around fields, `""` for a quote. Every row
 * has as many fields as the header. Fields are passed on as places in `bytes`, so nothing is copied.
 */
export function scanCsv(bytes: Uint8Array, onField: OnField): TableResult<CsvShape> {
  if (bytes.length > MAX_CSV_BYTES)
    return fault(
      'TOO_LARGE',
      `the file has ${bytes.length} bytes, at most ${MAX_CSV_BYTES} are read`,
    );
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const columns: string[] = [];
  let at = hasMark ? 3 : 0;
  if (at === bytes.length) return fault('CSV_EMPTY', 'the file is empty', { offset: at });

  let row = 0; // 0 is the header line
  while (at < bytes.length) {
    let column = 0;
    for (;;) {
      const field = readField(bytes, at, row, column + 1);
      if (!field.ok) return field;
      const { start, end, next, doubled } = field.value;

      if (row === 0) {
        const name = columnName(bytes.subarray(start, end), doubled, columns);
        if (!name.ok) return name;
        columns.push(name.value);
      } else {
        if (column >= columns.length)
          return fault(
            'CSV_RAGGED',
            `row ${row} has more fields than the header (${columns.length})`,
            { row, offset: start },
          );
        const stop = onField(row, column, start, end);
        if (stop !== null) return stop;
      }
      column++;
      at = next + 1;
      if (bytes[next] !== COMMA) {
        at = bytes[next] === CR ? next + 2 : next + 1;
        break;
      }
    }
    if (row > 0 && column < columns.length)
      return fault('CSV_RAGGED', `row ${row} has ${column} fields, the header ${columns.length}`, {
        row,
      });
    if (row > MAX_ROWS)
      return fault('TOO_LARGE', `the file has more than ${MAX_ROWS} rows`, { row });
    row++;
  }
  return found({ columns, rows: row - 1 });
}

interface Field {
  readonly start: number;
  readonly end: number;
  /** Place of the comma, CR or LF that ends the field, or the file's length. */
  readonly next: number;
  readonly doubled: boolean;
}

function readField(bytes: Uint8Array, at: number, row: number, column: number): TableResult<Field> {
  const where = { row, column, offset: at };
  const quoted = bytes[at] === QUOTE;
  const start = quoted ? at + 1 : at;
  let end = start;
  let next: number;
  let doubled = false;

  if (quoted) {
    for (;;) {
      if (end >= bytes.length) return fault('CSV_QUOTE', 'a quoted field is not closed', where);
      if (bytes[end] === QUOTE) {
        if (bytes[end + 1] !== QUOTE) break;
        doubled = true;
        end++;
      }
      end++;
    }
    next = end + 1;
    if (next < bytes.length && !endsField(bytes, next))
      return fault('CSV_QUOTE', 'text follows a closing quote', { ...where, offset: next });
  } else {
    while (end < bytes.length && !endsField(bytes, end)) {
      if (bytes[end] === QUOTE)
        return fault('CSV_QUOTE', 'a quote stands inside an unquoted field', {
          ...where,
          offset: end,
        });
      end++;
    }
    next = end;
  }
  if (end - start > MAX_CSV_FIELD_BYTES)
    return fault(
      'CSV_FIELD_TOO_LONG',
      `the field has ${end - start} bytes, at most ${MAX_CSV_FIELD_BYTES} are read`,
      where,
    );
  return found({ start, end, next, doubled });
}

/** A comma, LF, or CR before LF or the end of the file; a lone CR is part of the field and no number then. */
function endsField(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  return (
    byte === COMMA ||
    byte === LF ||
    (byte === CR && (at + 1 === bytes.length || bytes[at + 1] === LF))
  );
}

function columnName(
  bytes: Uint8Array,
  doubled: boolean,
  known: readonly string[],
): TableResult<string> {
  const column = known.length + 1;
  if (known.length >= MAX_CSV_COLUMNS)
    return fault('TOO_LARGE', `the header has more than ${MAX_CSV_COLUMNS} columns`, { column });
  const text = decodeUtf8(bytes);
  if (text === null) return fault('CSV_ENCODING', 'a column name is not UTF-8', { column });
  const name = (doubled ? text.replaceAll('""', '"') : text).trim();
  if (name === '') return fault('CSV_HEADER', `column ${column} has no name`, { column });
  if (known.includes(name))
    return fault('CSV_HEADER', `two columns are called ${JSON.stringify(name)}`, { column });
  return found(name);
}
