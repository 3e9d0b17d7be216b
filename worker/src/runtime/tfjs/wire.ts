import {
  Decimal,
  Digest,
  MAX_CHECKPOINT_BYTES,
  MetricValues,
  TFJS_OUTPUTS,
  TfjsTask,
} from '@tidemill/protocol';
import { z } from 'zod';

/** Which library computes; `auto` takes the native one where it loads. */
export const Backend = z.enum(['auto', 'tensorflow', 'wasm']);
export type Backend = z.infer<typeof Backend>;

/**
 * What the host writes to the child's standard input: this as one line, then the bytes of the inputs in the order of the list.
 * The child opens no file of a job: everything comes and goes through pipes.
 */
export const ChildRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('probe'), backend: Backend }),
  z.strictObject({
    type: z.literal('run'),
    backend: Backend,
    task: TfjsTask,
    inputs: z.array(z.strictObject({ digest: Digest, bytes: z.int().min(0) })).max(16),
  }),
]);
export type ChildRequest = z.infer<typeof ChildRequest>;

/** Codes a child may end with. Everything else that happens to it is named by the host. */
const CHILD_FAILURES = [
  'MODEL_INVALID',
  'DATA_INVALID',
  'LOSS_NOT_FINITE',
  'OUT_OF_MEMORY',
  'RUNTIME_UNAVAILABLE',
  'RUNTIME_UNSUPPORTED',
  'CHECKPOINT_INVALID',
  'CHILD_PROTOCOL',
] as const;
export type ChildFailure = (typeof CHILD_FAILURES)[number];

const OutputName = z.enum(Object.values(TFJS_OUTPUTS) as [string, ...string[]]);
const count = z.int().min(0);

/** One line the child writes to descriptor 3. After an `output` line come exactly so many raw bytes. */
export const ChildEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ready'),
    backend: z.enum(['tensorflow', 'wasm']),
    runtimeClass: z.string().max(96),
  }),
  z.strictObject({
    type: z.literal('progress'),
    step: count,
    totalSteps: count,
    metrics: z.record(z.string().max(32), Decimal),
  }),
  z.strictObject({
    type: z.literal('output'),
    name: OutputName,
    bytes: count.max(MAX_CHECKPOINT_BYTES),
  }),
  z.strictObject({ type: z.literal('done'), metrics: MetricValues }),
  z.strictObject({
    type: z.literal('failed'),
    code: z.enum(CHILD_FAILURES),
    message: z.string().max(2_000),
  }),
]);
export type ChildEvent = z.infer<typeof ChildEvent>;

/** Longest event line; a request's line is bounded by the schema of a task. */
export const MAX_EVENT_LINE = 16_384;
/** The descriptor on which events leave; 1 and 2 belong to whatever TensorFlow prints. */
export const EVENT_FD = 3;
