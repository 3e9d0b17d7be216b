export const TABLE_FAULTS = [
  'TOO_LARGE',
  'TRUNCATED',
  'NPY_MAGIC',
  'NPY_VERSION',
  'NPY_HEADER',
  'NPY_DTYPE',
  'NPY_ORDER',
  'NPY_SHAPE',
  'NPY_LENGTH',
  'NPY_UNSAFE_INTEGER',
  'CSV_EMPTY',
  'CSV_ENCODING',
  'CSV_QUOTE',
  'CSV_HEADER',
  'CSV_RAGGED',
  'CSV_FIELD_TOO_LONG',
  'CSV_MISSING_VALUE',
  'CSV_NOT_A_NUMBER',
  'CSV_UNKNOWN_COLUMN',
  'ARRAY_UNKNOWN',
  'SOURCE_MISMATCH',
  'ROWS_DIFFER',
] as const;
export type TableFaultCode = (typeof TABLE_FAULTS)[number];

/** What is wrong with a file and where: rows from 1 without the header line, columns by name or from 1, `offset` in bytes. */
export interface TableFault {
  readonly code: TableFaultCode;
  readonly message: string;
  readonly row?: number;
  readonly column?: string | number;
  readonly offset?: number;
}

export type TableResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: TableFault };

export function found<T>(value: T): TableResult<T> {
  return { ok: true, value };
}

export function fault(
  code: TableFaultCode,
  message: string,
  where: Omit<TableFault, 'code' | 'message'> = {},
): { readonly ok: false; readonly fault: TableFault } {
  return { ok: false, fault: { code, message, ...where } };
}
