import { z } from 'zod';
import { NoopSpec } from './job-spec.js';
import { TfjsTask } from './tfjs/index.js';

/** What an attempt is to do: the JSON in an offer's `payload`. */
export const TaskPayload = z.discriminatedUnion('runtime', [
  z.strictObject({ runtime: z.literal('noop'), noop: NoopSpec }),
  z.strictObject({ runtime: z.literal('tfjs'), tfjs: TfjsTask }),
]);
export type TaskPayload = z.infer<typeof TaskPayload>;
