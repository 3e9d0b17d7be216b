import { z } from 'zod';

const MIB = { MB: 1, GB: 1024, TB: 1024 * 1024 } as const;
/** 64 TB: more than any machine has; keeps MiB far inside the integers. */
const MAX_MIB = 64 * MIB.TB;

/** An inclusive range; `max` is absent when only a minimum was asked for. */
export interface Range {
  readonly min: number;
  readonly max?: number;
}

/** `24GB`, `24GB..`, `24GB..80GB` → MiB (GB means GiB, as in dstack), or null. A single size is a minimum. */
export function parseSizeRange(text: string): Range | null {
  const match = /^(\d{1,8})(MB|GB|TB)(?:(\.\.)(?:(\d{1,8})(MB|GB|TB))?)?$/.exec(
    text.replaceAll(' ', ''),
  );
  if (match === null) return null;
  const min = Number(match[1]) * MIB[match[2] as keyof typeof MIB];
  if (match[4] === undefined) return min <= MAX_MIB ? { min } : null;
  const max = Number(match[4]) * MIB[match[5] as keyof typeof MIB];
  return min <= max && max <= MAX_MIB ? { min, max } : null;
}

/** 4,096 cores: more than any machine has; what `Resources` takes. */
const MAX_MILLI = 4_096_000;

/** `4`, `4..`, `0.5..2` or a number → thousandths, or null. Nothing runs on no core, and it would cost nothing. */
export function parseCountRange(value: string | number): Range | null {
  const match = /^(\d{1,5}(?:\.\d{1,3})?)(?:\.\.(\d{1,5}(?:\.\d{1,3})?)?)?$/.exec(String(value));
  if (match === null) return null;
  const min = Math.round(Number(match[1]) * 1000);
  if (min === 0 || min > MAX_MILLI) return null;
  if (match[2] === undefined) return { min };
  const max = Math.round(Number(match[2]) * 1000);
  return min <= max && max <= MAX_MILLI ? { min, max } : null;
}

const sizeRange = z
  .string()
  .max(32)
  .refine((text) => parseSizeRange(text) !== null, {
    message: 'a size such as 16GB, 16GB.. or 16GB..80GB',
  });
const countRange = z
  .union([z.string().max(16), z.number().nonnegative().max(4096)])
  .refine((value) => parseCountRange(value) !== null, {
    message: 'a count such as 4, 4.. or 0.5..2',
  });

/** What a task needs of a worker, as people write it. */
export const ResourcesSpec = z
  .strictObject({
    gpus: z.number().min(0).max(64).multipleOf(0.001).optional(),
    vram: sizeRange.optional(),
    cpu: countRange.optional(),
    memory: sizeRange.optional(),
    disk: sizeRange.optional(),
    gpuModels: z.array(z.string().min(1).max(64)).max(32).optional(),
    isolation: z.enum(['process', 'namespaces', 'sandbox']).optional(),
  })
  .meta({ id: 'Resources' });
export type ResourcesSpec = z.infer<typeof ResourcesSpec>;

/** Isolation levels from weak to strong; a job may ask for a minimum. */
export const ISOLATION_LEVELS = ['none', 'process', 'namespaces', 'sandbox'] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** What can be used up. Whole numbers: thousandths of a GPU or a CPU core, and MiB. */
export const Resources = z
  .strictObject({
    gpuMilli: z.int().min(0).max(64_000),
    vramMib: z.int().min(0).max(MAX_MIB),
    cpuMilli: z.int().min(0).max(MAX_MILLI),
    memoryMib: z.int().min(0).max(MAX_MIB),
    diskMib: z.int().min(0).max(MAX_MIB),
  })
  .meta({ id: 'ResourceAmounts' });
export type Resources = z.infer<typeof Resources>;

/** Printable ASCII without spaces: it is a column, a part of keys and a line in receipts. */
const RuntimeClassText = z.string().regex(/^[!-~]{1,128}$/);

/** What a worker can do and does not use up. */
export const Capabilities = z
  .strictObject({
    runtimes: z
      .array(z.strictObject({ name: z.enum(['noop', 'tfjs']), class: RuntimeClassText }))
      .min(1)
      .max(16),
    isolation: z.enum(ISOLATION_LEVELS),
    gpuModel: z.string().max(64).nullable(),
    region: z
      .string()
      .max(32)
      .regex(/^[a-z0-9-]*$/),
    os: z.string().max(64),
    agent: z.string().max(64),
  })
  .meta({ id: 'Capabilities' });
export type Capabilities = z.infer<typeof Capabilities>;
