import { z } from 'zod';
import { JOB_KINDS } from './job-spec.js';
import { MAX_LABELS, parseLabel } from './labels.js';
import { JOB_STATES } from './states.js';

/** Most items in one page. */
export const MAX_PAGE = 200;

const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(50);

/** What every list takes. */
export const paging = z.strictObject({
  cursor: z.string().max(128).optional().meta({ description: 'nextCursor of the page before.' }),
  limit,
});

const moment = z.iso.datetime();

/** Half-open, so that two ranges side by side share nothing and miss nothing. */
export const createdRange = {
  createdAfter: moment.optional().meta({ description: 'At this moment or later.' }),
  createdBefore: moment.optional().meta({ description: 'Before this moment.' }),
};

/** A parameter that may stand several times in a query. */
export const several = <T extends z.ZodType>(item: T, most: number) =>
  z
    .union([item, z.array(item).min(1).max(most)])
    .transform((given): z.output<T>[] => (Array.isArray(given) ? given : [given]));

const label = z
  .string()
  .max(128)
  .refine((text) => parseLabel(text) !== null, { message: 'a label such as team=vision' })
  .meta({ description: 'A label as key=value; a job must have all that are given.' });

export const jobFilter = paging.extend({
  state: several(z.enum(JOB_STATES), JOB_STATES.length).optional(),
  kind: several(z.enum(JOB_KINDS), JOB_KINDS.length).optional(),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .optional()
    .meta({ description: 'What the name begins with.' }),
  label: several(label, MAX_LABELS).optional(),
  ...createdRange,
});
export type JobFilter = z.output<typeof jobFilter>;

export const entryFilter = paging.extend({
  kind: z
    .string()
    .regex(/^[a-z][a-z_.-]{0,31}$/)
    .optional()
    .meta({ description: 'Such as grant, hold, charge or release.' }),
  ref: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .meta({
      description: 'What it was booked for: a job, an attempt, or what a credit was named.',
    }),
  ...createdRange,
});
export type EntryFilter = z.output<typeof entryFilter>;

export const workerFilter = paging.extend({
  state: several(z.enum(['online', 'draining', 'lost', 'suspended']), 4).optional(),
  runtime: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/)
    .optional()
    .meta({ description: 'Only workers that offer this runtime.' }),
  name: z
    .string()
    .regex(/^[\w.-]{1,63}$/)
    .optional()
    .meta({ description: 'What the name begins with.' }),
});
export type WorkerFilter = z.output<typeof workerFilter>;
