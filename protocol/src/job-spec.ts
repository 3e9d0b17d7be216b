import { z } from 'zod';
import { Labels } from './labels.js';
import { Money } from './money.js';
import { ResourcesSpec } from './resources.js';
import { TfjsSpec } from './tfjs/index.js';

/** Longest spec taken, as JSON. A larger model goes in as an artifact. */
export const MAX_SPEC_LENGTH = 64 * 1024;

/** Most jobs in one `POST /v1/jobs/batch`: one transaction stays in milliseconds. */
export const MAX_JOBS_IN_BATCH = 100;

/** Most attempts a task may be given. */
export const MAX_ATTEMPTS = 20;

export const JOB_KINDS = ['batch', 'training', 'inference', 'service'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** 30 days: a job longer than this should be several. */
const MAX_DURATION_MS = 30 * UNIT_MS.d;

/** `90s`, `10m`, `6h`, `2d` → milliseconds, or null. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,7})(s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : null;
}

const Duration = z
  .string()
  .max(16)
  .refine((text) => parseDuration(text) !== null, {
    message: 'a duration such as 90s, 10m or 6h, at most 30d',
  });

/** Does nothing for a while and ends as it is told: for trying out the network and for measuring it. */
export const NoopSpec = z
  .strictObject({
    sleepMs: z.int().min(0).max(3_600_000).optional(),
    fail: z.string().max(200).optional(),
  })
  .meta({ id: 'NoopRuntime' });
export type NoopSpec = z.infer<typeof NoopSpec>;

/** Runtimes that are named in the design but that no worker software here runs yet. */
export const RUNTIMES_NOT_OFFERED = ['onnx', 'llm', 'container'] as const;

/** What is offered, in words. */
export const OFFERED = 'tfjs for training and inference, noop for batch';

/**
 * What a refused spec, or batch of specs, asks for that is named in the design and not offered: a runtime, or the kind `service`.
 * Null when the fault is the spec's form.
 */
export function runtimeNotOffered(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
): string | null {
  for (const issue of issues) {
    const member = issue.path.at(-1);
    if (issue.code === 'unrecognized_keys' && member === 'runtime') {
      const name = RUNTIMES_NOT_OFFERED.find((runtime) => issue.keys.includes(runtime));
      if (name !== undefined) return name;
    }
    if (member === 'kind' && at(value, issue.path) === 'service') return 'service';
  }
  return null;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

const RuntimeSpec = z
  .strictObject(
    { tfjs: TfjsSpec.optional(), noop: NoopSpec.optional() },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' &&
        issue.keys.some((key) => (RUNTIMES_NOT_OFFERED as readonly string[]).includes(key))
          ? `no worker software here offers ${issue.keys.join(', ')} yet; use tfjs or noop`
          : undefined,
    },
  )
  .refine((runtime) => Object.values(runtime).filter((one) => one !== undefined).length === 1, {
    message: 'exactly one runtime',
  });

/** How results are checked: a class, `none`, or so many independent executions of every task. */
export const VerifySpec = z
  .union([
    z.strictObject({ class: z.enum(['standard', 'none']) }),
    z.strictObject({ replicate: z.int().min(2).max(5) }),
    z.enum(['standard', 'none']),
  ])
  .meta({ id: 'Verify' });

export const LimitsSpec = z
  .strictObject({
    maxPricePerGpuHour: Money.optional(),
    maxPricePerCpuHour: Money.optional(),
    maxDuration: Duration.optional(),
    deadline: z.iso.datetime().optional(),
    maxCost: Money.optional(),
  })
  .meta({ id: 'Limits' });

/** What a submitter asks for. Everything is optional but `kind` and exactly one runtime. */
export const JobSpec = z
  .strictObject({
    kind: z.enum(['batch', 'training', 'inference']),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63')
      .optional(),
    labels: Labels.optional(),
    runtime: RuntimeSpec,
    resources: ResourcesSpec.optional(),
    checkpoint: z.strictObject({ every: Duration }).optional(),
    retry: z
      .strictObject({
        max: z
          .int()
          .min(0)
          .max(MAX_ATTEMPTS - 1),
      })
      .optional(),
    limits: LimitsSpec.optional(),
    priority: z.enum(['low', 'normal', 'high']).optional(),
    verify: VerifySpec.optional(),
  })
  .meta({ id: 'JobSpec' });
export type JobSpec = z.infer<typeof JobSpec>;
