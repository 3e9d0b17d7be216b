import {
  type Matrix,
  type TableFiles,
  type TfjsInput,
  type TfjsTask,
  readTable,
} from '@tidemill/protocol';
import { ChildFault } from './fault.js';

/** Input bytes by digest, as they came through the pipe. */
export type Inputs = ReadonlyMap<string, Uint8Array>;

/** Reads and scales the data of a task and checks once more what acceptance was told about it. */
export function readData(
  task: TfjsTask,
  inputs: Inputs,
): { readonly features: Matrix; readonly label: Matrix | null } {
  const files = filesOf(task.type === 'tfjs.train' ? task.data.train : task.data.input, inputs);
  const wanted =
    task.type === 'tfjs.train'
      ? { features: task.data.features, label: task.data.label }
      : { features: task.data.features };
  const table = readTable(files, wanted);
  if (!table.ok)
    throw new ChildFault('DATA_INVALID', `${table.fault.code}: ${table.fault.message}`);
  const { features, label } = table.value;
  if (features.rows !== task.data.rows)
    throw new ChildFault(
      'DATA_INVALID',
      `the data has ${features.rows} rows where ${task.data.rows} were accepted`,
    );
  const width = task.model.inputShape.reduce((product, size) => product * size, 1);
  if (features.width !== width)
    throw new ChildFault(
      'DATA_INVALID',
      `a row has ${features.width} values, the model takes ${width}`,
    );
  for (const matrix of [features, ...(label === null ? [] : [label])])
    if (!matrix.values.every(Number.isFinite))
      throw new ChildFault('DATA_INVALID', 'the data holds a value that is not finite');
  if (task.data.scale !== null)
    scaleInPlace(features.values, Number(task.data.scale.subtract), Number(task.data.scale.divide));
  return { features, label };
}

/** In double precision, rounded once: the same bits everywhere. */
function scaleInPlace(values: Float32Array, subtract: number, divide: number): void {
  for (let i = 0; i < values.length; i++) values[i] = ((values[i] ?? 0) - subtract) / divide;
}

function filesOf(input: TfjsInput, inputs: Inputs): TableFiles {
  if ('csv' in input) return { csv: inputOf(inputs, input.csv) };
  const arrays = Object.entries(input.arrays).map(
    ([name, digest]) => [name, inputOf(inputs, digest)] as const,
  );
  return { arrays: Object.fromEntries(arrays) };
}

/** The bytes of an input that the task names. */
export function inputOf(inputs: Inputs, digest: string): Uint8Array {
  const bytes = inputs.get(digest);
  if (bytes === undefined)
    throw new ChildFault('CHILD_PROTOCOL', `input ${digest} was not handed over`);
  return bytes;
}

/** Rows picked out of a matrix, one after the other. */
export function gather({ values, width }: Matrix, rows: Uint32Array): Float32Array {
  const picked = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries())
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
  return picked;
}
