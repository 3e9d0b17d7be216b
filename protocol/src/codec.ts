import type { z } from 'zod';
import { parseJson } from './json-scan.js';
import { FromOrchestrator, FromWorker, MAX_FRAME_BYTES } from './messages.js';

export type Decoded<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly code: string; readonly detail: string };

/** A worker's frame as a message, or why it is not one. Never throws. */
export const decodeFromWorker = (frame: string): Decoded<FromWorker> => decode(frame, FromWorker);

/** An orchestrator's frame as a message, or why it is not one. Never throws. */
export const decodeFromOrchestrator = (frame: string): Decoded<FromOrchestrator> =>
  decode(frame, FromOrchestrator);

/** The frame of a message. */
export const encode = (message: FromWorker | FromOrchestrator): string => JSON.stringify(message);

function decode<T>(frame: string, schema: z.ZodType<T>): Decoded<T> {
  const json = parseJson(frame, MAX_FRAME_BYTES);
  if (!json.ok) return { ok: false, code: json.code, detail: json.message };
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return { ok: true, message: parsed.data };
  const [issue] = parsed.error.issues;
  return {
    ok: false,
    code: 'VALIDATION_FAILED',
    detail:
      issue === undefined ? 'invalid' : `${issue.path.join('.') || 'frame'}: ${issue.message}`,
  };
}
