import { type CsvShape, scanCsv } from './csv-scan.js';
import { MAX_TABLE_VALUES } from './limits.js';
import { type TableResult, fault, found } from './table-fault.js';

export interface CsvTable extends CsvShape {
  /** The wanted columns side by side, row by row. */
  readonly values: Float32Array;
}

/** Reads the column names and counts the rows; checks that every row is complete, but not what the fields say. */
export function inspectCsv(bytes: Uint8Array): TableResult<CsvShape> {
  return scanCsv(bytes, () => null);
}

/**
 * Reads the wanted columns as float32. Other columns may hold text. A wanted field that is empty or no decimal number is a fault
 * with its row and column; `nan` and `inf` are numbers here and are found by the survey.
 */
export function decodeCsv(bytes: Uint8Array, wanted: readonly string[]): TableResult<CsvTable> {
  const shape = inspectCsv(bytes);
  if (!shape.ok) return shape;
  const { columns, rows } = shape.value;
  if (rows * wanted.length > MAX_TABLE_VALUES)
    return fault(
      'TOO_LARGE',
      `${rows} rows of ${wanted.length} columns are more than ${MAX_TABLE_VALUES} values`,
    );

  const slots = new Map<number, number[]>(); // column of the file → places in the result row
  for (const [slot, name] of wanted.entries()) {
    const column = columns.indexOf(name);
    if (column < 0)
      return fault('CSV_UNKNOWN_COLUMN', `there is no column ${JSON.stringify(name)}`, {
        column: name,
      });
    slots.set(column, [...(slots.get(column) ?? []), slot]);
  }

  const values = new Float32Array(rows * wanted.length);
  const scan = scanCsv(bytes, (row, column, start, end) => {
    const targets = slots.get(column);
    if (targets === undefined) return null;
    const value = parseNumber(bytes, start, end);
    if (value === null) {
      const name = columns[column] ?? column + 1;
      return isBlank(bytes, start, end)
        ? fault('CSV_MISSING_VALUE', `row ${row} has no value in column ${name}`, {
            row,
            column: name,
            offset: start,
          })
        : fault('CSV_NOT_A_NUMBER', `row ${row} has no number in column ${name}`, {
            row,
            column: name,
            offset: start,
          });
    }
    for (const slot of targets) values[(row - 1) * wanted.length + slot] = value;
    return null;
  });
  return scan.ok ? found({ columns: wanted, rows, values }) : scan;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;

/** The number that `bytes[start, end)` spells, spaces around it ignored; null when it spells none. */
function parseNumber(bytes: Uint8Array, start: number, end: number): number | null {
  const whole = shortInteger(bytes, start, end);
  if (whole !== null) return whole;
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  text = text.trim();
  if (NUMBER.test(text)) return Number(text);
  if (!NOT_FINITE.test(text)) return null;
  return /nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity;
}

/** Pixel and class values, nine digits at most, without making a string of each. */
function shortInteger(bytes: Uint8Array, start: number, end: number): number | null {
  if (end === start || end - start > 9) return null;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0x20 && bytes[i] !== 0x09) return false;
  return true;
}
