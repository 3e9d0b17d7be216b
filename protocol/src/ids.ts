import { z } from 'zod';

/** Lower-case Crockford base32: no i, l, o or u, so an id can be read out loud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 128 bits take 26 characters of 5 bits; the first one carries the two spare zero bits. */
const BODY = '[0-7][0-9a-hjkmnp-tv-z]{25}';

const PREFIXES = {
  job: 'job',
  task: 'tsk',
  attempt: 'att',
  worker: 'wrk',
  account: 'acc',
  key: 'key',
  session: 'ses',
  decision: 'dec',
  upload: 'upl',
  webhook: 'whk',
} as const;

export type IdKind = keyof typeof PREFIXES;

const idSchema = (kind: IdKind) =>
  z
    .string()
    .regex(new RegExp(`^${PREFIXES[kind]}_${BODY}$`), `an id of the form ${PREFIXES[kind]}_…`);

export const JobId = idSchema('job').brand('JobId');
export const TaskId = idSchema('task').brand('TaskId');
export const AttemptId = idSchema('attempt').brand('AttemptId');
export const WorkerId = idSchema('worker').brand('WorkerId');
export const AccountId = idSchema('account').brand('AccountId');
export const KeyId = idSchema('key').brand('KeyId');
export const SessionId = idSchema('session').brand('SessionId');
export const DecisionId = idSchema('decision').brand('DecisionId');
export const UploadId = idSchema('upload').brand('UploadId');
export const WebhookId = idSchema('webhook').brand('WebhookId');

export type JobId = z.infer<typeof JobId>;
export type TaskId = z.infer<typeof TaskId>;
export type AttemptId = z.infer<typeof AttemptId>;
export type WorkerId = z.infer<typeof WorkerId>;
export type AccountId = z.infer<typeof AccountId>;
export type KeyId = z.infer<typeof KeyId>;
export type SessionId = z.infer<typeof SessionId>;
export type DecisionId = z.infer<typeof DecisionId>;
export type UploadId = z.infer<typeof UploadId>;
export type WebhookId = z.infer<typeof WebhookId>;

export interface IdOf {
  job: JobId;
  task: TaskId;
  attempt: AttemptId;
  worker: WorkerId;
  account: AccountId;
  key: KeyId;
  session: SessionId;
  decision: DecisionId;
  upload: UploadId;
  webhook: WebhookId;
}

/**
 * A UUIDv7 (RFC 9562) behind its kind's prefix: ids of one kind sort by the time they were made.
 * `random` gives 10 bytes; the clock and the randomness are the caller's, so a simulator repeats them.
 */
export function makeId<K extends IdKind>(kind: K, nowMs: number, random: Uint8Array): IdOf[K] {
  const bytes = new Uint8Array(16);
  let rest = nowMs;
  for (let i = 5; i >= 0; i -= 1) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  // The text is of the branded form by construction.
  return `${PREFIXES[kind]}_${base32(bytes)}` as IdOf[K];
}

/** When an id was made, in milliseconds since 1970, by the clock of who made it; NaN for a text that is no id. */
export function madeAtMs(id: string): number {
  const digits = [...id.slice(id.indexOf('_') + 1).slice(0, 10)].map((one) =>
    ALPHABET.indexOf(one),
  );
  return digits.length < 10 || digits.includes(-1)
    ? Number.NaN
    : digits.reduce((ms, digit) => ms * 32 + digit, 0);
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 2; // 128 = 26 × 5 − 2: two zero bits go in front
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return text;
}
