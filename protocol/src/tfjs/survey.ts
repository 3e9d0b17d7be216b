import type { TfjsFeatures, TfjsLabel } from './spec.js';
import { type Matrix, type TableFiles, readTable } from './table.js';
import { type TableResult, found } from './table-fault.js';

/** Where a value stands: rows and columns from 1. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

export interface MatrixFacts {
  readonly width: number;
  readonly rowShape: readonly number[];
  readonly min: number;
  readonly max: number;
  /** Whether every value is a whole number. */
  readonly whole: boolean;
  /** The first NaN or infinity, if there is one. */
  readonly notFinite: Place | null;
}

/** What acceptance has to know of a data set; no value of it. */
export interface DataFacts {
  readonly rows: number;
  readonly features: MatrixFacts;
  readonly label: MatrixFacts | null;
}

/**
 * Reads a data set once and says what acceptance needs. The cost is that of decoding all of it (about 50 MB of CSV a second):
 * a server calls this off its main thread or for small sets only.
 */
export function surveyTable(
  files: TableFiles,
  wanted: { readonly features: TfjsFeatures; readonly label?: TfjsLabel | undefined },
): TableResult<DataFacts> {
  const table = readTable(files, wanted);
  if (!table.ok) return table;
  const { features, label } = table.value;
  return found({
    rows: features.rows,
    features: surveyMatrix(features),
    label: label === null ? null : surveyMatrix(label),
  });
}

function surveyMatrix({ values, width, rowShape }: Matrix): MatrixFacts {
  let min = Infinity;
  let max = -Infinity;
  let whole = true;
  let bad = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (!Number.isFinite(value)) {
      if (bad < 0) bad = i;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    whole &&= Number.isInteger(value);
  }
  const notFinite =
    bad < 0 ? null : { row: Math.floor(bad / width) + 1, column: (bad % width) + 1 };
  return { width, rowShape, min, max, whole, notFinite };
}
