import { z } from 'zod';
import { LimitsSpec } from './job-spec.js';
import { Labels } from './labels.js';

/** How a job that has ended is run again. What is not given stays as it was. */
export const RerunRequest = z
  .strictObject({
    from: z.enum(['start', 'failed']).default('start').meta({
      description:
        'failed: only tasks without an accepted result, from the last accepted checkpoint.',
    }),
    limits: LimitsSpec.optional().meta({ description: 'Members given here replace the old ones.' }),
    labels: Labels.optional().meta({ description: 'In place of the old ones.' }),
  })
  .meta({ id: 'RerunRequest' });
export type RerunRequest = z.output<typeof RerunRequest>;
