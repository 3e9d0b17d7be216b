import { z } from 'zod';

/** Most labels of one job: enough for team, project, run and stage, small enough to come with every answer. */
export const MAX_LABELS = 16;

const LABEL_KEY = /^[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9._:/@+-]{0,63}$/;

/** What a submitter calls its jobs by, to find them again; the network gives labels no meaning. */
export const Labels = z
  .record(
    z.string().regex(LABEL_KEY, 'lower-case letters, digits and . _ / -, at most 63'),
    z.string().regex(LABEL_VALUE, 'letters, digits and . _ : / @ + -, at most 63'),
  )
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, {
    message: `at most ${MAX_LABELS} labels`,
  })
  .meta({ id: 'Labels', description: `At most ${MAX_LABELS} pairs of key and value.` });
export type Labels = z.infer<typeof Labels>;

/** `key=value` → the pair, or null. A value never holds an equals sign, and neither does a key. */
export function parseLabel(text: string): readonly [string, string] | null {
  const [key = '', value, more] = text.split('=');
  if (value === undefined || more !== undefined) return null;
  return LABEL_KEY.test(key) && LABEL_VALUE.test(value) ? [key, value] : null;
}
