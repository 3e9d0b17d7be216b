import { decodeCsv, inspectCsv } from './csv.js';
import { decodeNpy } from './npy.js';
import type { TfjsFeatures, TfjsLabel } from './spec.js';
import { type TableResult, fault, found } from './table-fault.js';

/** The bytes of a `TfjsInput`, fetched. */
export type TableFiles =
  { readonly csv: Uint8Array } | { readonly arrays: Readonly<Record<string, Uint8Array>> };

/** One side of a data set: `rows × width` values, row by row. `rowShape` is what an array says of a row's axes. */
export interface Matrix {
  readonly rows: number;
  readonly width: number;
  readonly rowShape: readonly number[];
  readonly values: Float32Array;
}

export interface Table {
  readonly features: Matrix;
  readonly label: Matrix | null;
}

/** Reads features and, when asked for, labels out of the files; both sides have the same number of rows. */
export function readTable(
  files: TableFiles,
  wanted: { readonly features: TfjsFeatures; readonly label?: TfjsLabel | undefined },
): TableResult<Table> {
  const features =
    'csv' in files
      ? readFeatureColumns(files.csv, wanted)
      : readArray(files.arrays, wanted.features);
  if (!features.ok) return features;
  if (wanted.label === undefined) return found({ features: features.value, label: null });

  const label =
    'csv' in files
      ? readLabelColumn(files.csv, wanted.label)
      : readArray(files.arrays, wanted.label);
  if (!label.ok) return label;
  if (label.value.rows !== features.value.rows)
    return fault(
      'ROWS_DIFFER',
      `there are ${features.value.rows} rows of features and ${label.value.rows} of labels`,
    );
  return found({ features: features.value, label: label.value });
}

function readFeatureColumns(
  csv: Uint8Array,
  wanted: { readonly features: TfjsFeatures; readonly label?: TfjsLabel | undefined },
): TableResult<Matrix> {
  if (!('columns' in wanted.features))
    return fault('SOURCE_MISMATCH', 'features of a CSV are named by columns');
  const { columns } = wanted.features;
  if (columns !== '*') return readColumns(csv, columns);
  const shape = inspectCsv(csv);
  if (!shape.ok) return shape;
  const label = wanted.label !== undefined && 'column' in wanted.label ? wanted.label.column : null;
  return readColumns(
    csv,
    shape.value.columns.filter((name) => name !== label),
  );
}

function readLabelColumn(csv: Uint8Array, label: TfjsLabel): TableResult<Matrix> {
  if (!('column' in label))
    return fault('SOURCE_MISMATCH', 'the label of a CSV is named by its column');
  return readColumns(csv, [label.column]);
}

function readColumns(csv: Uint8Array, columns: readonly string[]): TableResult<Matrix> {
  const table = decodeCsv(csv, columns);
  if (!table.ok) return table;
  const { rows, values } = table.value;
  return found({ rows, width: columns.length, rowShape: [columns.length], values });
}

function readArray(
  arrays: Readonly<Record<string, Uint8Array>>,
  wanted: TfjsFeatures | TfjsLabel,
): TableResult<Matrix> {
  if (!('array' in wanted))
    return fault('SOURCE_MISMATCH', 'NPY data is named by its array, not by columns');
  const bytes = Object.hasOwn(arrays, wanted.array) ? arrays[wanted.array] : undefined;
  if (bytes === undefined)
    return fault('ARRAY_UNKNOWN', `there is no array ${JSON.stringify(wanted.array)}`, {
      column: wanted.array,
    });
  const array = decodeNpy(bytes);
  if (!array.ok)
    return fault(array.fault.code, `array ${wanted.array}: ${array.fault.message}`, {
      column: wanted.array,
      ...array.fault,
    });
  const { rows, width, shape, values } = array.value;
  return found({ rows, width, rowShape: shape.slice(1), values });
}
