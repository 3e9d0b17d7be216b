import type { z } from 'zod';
import type { SessionId } from './ids.js';
import { parseJson } from './json-scan.js';
import { FromOrchestrator, FromWorker, MAX_FRAME_BYTES } from './messages.js';

export type Decoded<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly code: string; readonly detail: string };

/** The heartbeat of an idle worker, as this package spells it; in any other spelling it is read like every other frame. */
const IDLE_HEARTBEAT =
  /^\{"type":"heartbeat",(?:"attempts":\[\],)?"session":"(ses_[0-7][0-9a-hjkmnp-tv-z]{25})","seq":(0|[1-9]\d{0,14})(,"attempts":\[\])?\}$/;

/**
 * A worker's frame as a message, or why it is not one. Never throws. Nine frames in ten are heartbeats of idle workers, so these
 * are recognised before anything is parsed.
 */
export function decodeFromWorker(frame: string): Decoded<FromWorker> {
  const beat = frame.length < MAX_IDLE_HEARTBEAT ? IDLE_HEARTBEAT.exec(frame) : null;
  const isWhole = beat !== null && (beat[3] === undefined) === frame.startsWith(ATTEMPTS_FIRST);
  if (!isWhole) return decode(frame, FromWorker);
  // The expression is that of the session's schema.
  return {
    ok: true,
    message: {
      type: 'heartbeat',
      session: beat[1] as SessionId,
      seq: Number(beat[2]),
      attempts: [],
    },
  };
}

const MAX_IDLE_HEARTBEAT = 128;
const ATTEMPTS_FIRST = '{"type":"heartbeat","attempts"';

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
