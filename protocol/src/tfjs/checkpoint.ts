import { ByteReader, ByteWriter } from './checkpoint-bytes.js';
import { Decimal } from './decimal.js';
import {
  MAX_CHECKPOINT_BYTES,
  MAX_CHECKPOINT_TENSORS,
  MAX_METRICS,
  MAX_NAME_LENGTH,
  MAX_RANK,
} from './limits.js';
import type { DataCursor, MetricValues } from './task.js';

/** A tensor in its one spelling: little endian, row by row. */
export interface CanonicalTensor {
  readonly name: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Everything the next segment starts from, and what the segment before it reported. */
export interface Checkpoint {
  /** Steps done since the beginning of the job. */
  readonly step: number;
  readonly cursor: DataCursor;
  readonly metrics: MetricValues;
  readonly weights: readonly CanonicalTensor[];
  readonly optimizer: { readonly name: string; readonly state: readonly CanonicalTensor[] };
}

export const CHECKPOINT_FAULTS = [
  'TOO_LARGE',
  'TRUNCATED',
  'MAGIC',
  'NAME',
  'METRIC',
  'DTYPE',
  'SHAPE',
  'ORDER',
  'LENGTH',
] as const;
export type CheckpointFaultCode = (typeof CHECKPOINT_FAULTS)[number];

export type CheckpointResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: CheckpointFaultCode;
      readonly message: string;
      readonly offset: number;
    };

/** Begins every checkpoint file; the version is in it. */
export const CHECKPOINT_TAG = 'tidemill/tfjs-checkpoint/1\n';

const DTYPES = ['float32', 'int32'] as const;
const NAME = /^[\x21-\x7e]+$/;

/**
 * The one byte string of a checkpoint; its SHA-256 is the commitment, so a checkpoint's digest as a file is the commitment too.
 * Layout, little endian: tag; step u64; epoch u32; row u64; metrics; weights; optimizer name; optimizer tensors. A list begins with
 * its length u32, a text with its length u16. Metrics are sorted by name, weights by name, optimizer tensors keep their order,
 * which says what they belong to.
 *
 * @throws RangeError when the checkpoint passes a limit or holds what `decodeCheckpoint` would refuse: a bug of the caller.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const out = new ByteWriter();
  out.ascii(CHECKPOINT_TAG);
  out.u64(checkpoint.step);
  out.u32(checkpoint.cursor.epoch);
  out.u64(checkpoint.cursor.row);
  const metrics = Object.entries(checkpoint.metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  out.u32(metrics.length);
  for (const [name, value] of metrics) {
    out.text(name);
    out.text(value);
  }
  writeTensors(
    out,
    [...checkpoint.weights].sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  out.text(checkpoint.optimizer.name);
  writeTensors(out, checkpoint.optimizer.state);

  const bytes = out.finish();
  const check = decodeCheckpoint(bytes);
  if (!check.ok)
    throw new RangeError(
      `a checkpoint that nobody could read: ${check.message} at byte ${check.offset}`,
    );
  return bytes;
}

function writeTensors(out: ByteWriter, tensors: readonly CanonicalTensor[]): void {
  out.u32(tensors.length);
  for (const tensor of tensors) {
    out.text(tensor.name);
    out.u8(DTYPES.indexOf(tensor.dtype));
    out.u8(tensor.shape.length);
    for (const size of tensor.shape) out.u32(size);
    out.raw(tensor.bytes);
  }
}

/** Reads a checkpoint and accepts only the canonical spelling: what it accepts, `encodeCheckpoint` writes byte for byte. */
export function decodeCheckpoint(bytes: Uint8Array): CheckpointResult<Checkpoint> {
  if (bytes.length > MAX_CHECKPOINT_BYTES)
    return {
      ok: false,
      code: 'TOO_LARGE',
      message: `more than ${MAX_CHECKPOINT_BYTES} bytes`,
      offset: 0,
    };
  const input = new ByteReader(bytes);
  try {
    if (input.ascii(CHECKPOINT_TAG.length) !== CHECKPOINT_TAG)
      throw new Refused('MAGIC', 'not a checkpoint of this version');
    const step = input.u64();
    const cursor = { epoch: input.u32(), row: input.u64() };
    const metrics = readMetrics(input);
    const weights = readTensors(input, true);
    const optimizer = { name: readName(input), state: readTensors(input, false) };
    if (input.left() > 0) throw new Refused('LENGTH', `${input.left()} bytes follow the end`);
    return { ok: true, value: { step, cursor, metrics, weights, optimizer } };
  } catch (cause) {
    if (cause instanceof Refused)
      return { ok: false, code: cause.code, message: cause.message, offset: input.offset() };
    if (cause instanceof RangeError)
      return {
        ok: false,
        code: 'TRUNCATED',
        message: 'the file ends too early',
        offset: input.offset(),
      };
    throw cause;
  }
}

/** Carries a refusal out of the nested readers; never leaves this file. */
class Refused extends Error {
  constructor(
    readonly code: CheckpointFaultCode,
    message: string,
  ) {
    super(message);
  }
}

function readMetrics(input: ByteReader): MetricValues {
  const length = input.u32();
  if (length > MAX_METRICS) throw new Refused('TOO_LARGE', `more than ${MAX_METRICS} metrics`);
  const metrics: Record<string, string> = {};
  let last = '';
  for (let i = 0; i < length; i++) {
    const name = readName(input);
    if (!/^[A-Za-z][A-Za-z0-9]{0,31}$/.test(name))
      throw new Refused('NAME', 'a metric has no sensible name');
    if (name <= last) throw new Refused('ORDER', 'metrics are not sorted by name');
    const value = readText(input);
    if (!Decimal.safeParse(value).success)
      throw new Refused('METRIC', `metric ${name} is no decimal number`);
    // defineProperty: a metric called __proto__ cannot pass the name check, but nothing should rest on that
    Object.defineProperty(metrics, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    last = name;
  }
  return metrics;
}

function readTensors(input: ByteReader, sorted: boolean): CanonicalTensor[] {
  const length = input.u32();
  if (length > MAX_CHECKPOINT_TENSORS)
    throw new Refused('TOO_LARGE', `more than ${MAX_CHECKPOINT_TENSORS} tensors`);
  const tensors: CanonicalTensor[] = [];
  let last = '';
  for (let i = 0; i < length; i++) {
    const name = readName(input);
    if (sorted && name <= last)
      throw new Refused('ORDER', 'weights are not sorted by name, or one stands twice');
    const dtype = DTYPES[input.u8()];
    if (dtype === undefined) throw new Refused('DTYPE', `tensor ${name} has an unknown dtype`);
    const rank = input.u8();
    if (rank > MAX_RANK)
      throw new Refused('SHAPE', `tensor ${name} has more than ${MAX_RANK} axes`);
    const shape: number[] = [];
    let size = 4;
    for (let axis = 0; axis < rank; axis++) {
      const extent = input.u32();
      shape.push(extent);
      size *= extent;
      if (size > MAX_CHECKPOINT_BYTES)
        throw new Refused('SHAPE', `tensor ${name} is larger than a checkpoint may be`);
    }
    tensors.push({ name, dtype, shape, bytes: input.raw(size) });
    last = name;
  }
  return tensors;
}

function readName(input: ByteReader): string {
  const name = readText(input);
  if (!NAME.test(name)) throw new Refused('NAME', 'a name is empty or not printable ASCII');
  return name;
}

function readText(input: ByteReader): string {
  const length = input.u16();
  if (length > MAX_NAME_LENGTH)
    throw new Refused('NAME', `a text is longer than ${MAX_NAME_LENGTH}`);
  return input.ascii(length);
}
