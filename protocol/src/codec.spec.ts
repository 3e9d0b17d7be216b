import { describe, expect, test } from 'vitest';
import { decodeFromOrchestrator, decodeFromWorker } from './codec.js';
import { MAX_COUNT } from './count.js';
import { MAX_JSON_DEPTH } from './json-scan.js';
import { MAX_FRAME_BYTES, MAX_HELD_ATTEMPTS } from './messages.js';
import { MAX_MONEY } from './money.js';
import { MAX_RECEIPT_LENGTH, MAX_RECEIPTS_IN_BATCH } from './receipt.js';

const attemptId = 'att_7zzzzzzzzzzzzzzzzzzzzzzzzz';
const digest = `sha256:${'f'.repeat(64)}`;
const signature = '5'.repeat(88);
const lease = { attemptId, fence: MAX_COUNT };
const inSession = { session: 'ses_7zzzzzzzzzzzzzzzzzzzzzzzzz', seq: Number.MAX_SAFE_INTEGER };
const many = <T>(length: number, item: T): T[] => Array<T>(length).fill(item);

const profile = {
  name: 'desk',
  capabilities: {
    runtimes: [{ name: 'noop', class: 'noop/1' }],
    isolation: 'none',
    gpuModel: null,
    region: '',
    os: 'linux',
    agent: 'tidemill/0.1.0',
  },
  resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 1_000, memoryMib: 1_024, diskMib: 0 },
  slots: 1,
  asks: { gpuHour: '0', cpuHour: '0' },
};
const login = {
  type: 'login',
  versions: [1],
  publicKey: '1'.repeat(32),
  nonce: 'n',
  signature,
  profile,
  holding: [] as object[],
};
const progress = (change: object) => ({
  type: 'progress',
  ...inSession,
  items: [{ ...lease, step: 0, totalSteps: 0, metrics: {}, ...change }],
});
const logs = (change: object) => ({
  type: 'logs',
  ...inSession,
  items: [{ ...lease, line: 0, stream: 'out', text: '', ...change }],
});
const receipts = (texts: string[], change: object = {}) => ({
  type: 'receipts',
  ...inSession,
  receipts: texts,
  signature,
  ...change,
});
const checkpoint = (count: number, change: object = {}) => ({
  type: 'checkpoint',
  ...inSession,
  items: many(count, { ...lease, step: 0, digest, sizeBytes: 0, ...change }),
});

/** Each with the last that is taken and the first that is not. */
const LIMITS: readonly (readonly [string, object, object])[] = [
  [
    'a sequence number',
    { type: 'drain', ...inSession },
    { type: 'drain', ...inSession, seq: 2 ** 53 },
  ],
  [
    'a fence',
    { type: 'accept', ...inSession, leases: [lease] },
    { type: 'accept', ...inSession, leases: [{ ...lease, fence: MAX_COUNT + 1 }] },
  ],
  [
    'the first fence',
    { type: 'accept', ...inSession, leases: [{ ...lease, fence: 1 }] },
    { type: 'accept', ...inSession, leases: [{ ...lease, fence: 0 }] },
  ],
  [
    'leases accepted at once',
    { type: 'accept', ...inSession, leases: many(MAX_HELD_ATTEMPTS, lease) },
    { type: 'accept', ...inSession, leases: many(MAX_HELD_ATTEMPTS + 1, lease) },
  ],
  [
    'leases accepted at least',
    { type: 'accept', ...inSession, leases: [lease] },
    { type: 'accept', ...inSession, leases: [] },
  ],
  [
    'attempts in a heartbeat',
    { type: 'heartbeat', ...inSession, attempts: many(MAX_HELD_ATTEMPTS, attemptId) },
    { type: 'heartbeat', ...inSession, attempts: many(MAX_HELD_ATTEMPTS + 1, attemptId) },
  ],
  ['a step', progress({ step: MAX_COUNT }), progress({ step: MAX_COUNT + 1 })],
  ['all steps', progress({ totalSteps: MAX_COUNT }), progress({ totalSteps: MAX_COUNT + 1 })],
  ['a step from below', progress({ step: 0 }), progress({ step: -1 })],
  [
    'the name of a metric',
    progress({ metrics: { ['m'.repeat(32)]: 1 } }),
    progress({ metrics: { ['m'.repeat(33)]: 1 } }),
  ],
  ['a line number', logs({ line: MAX_COUNT }), logs({ line: MAX_COUNT + 1 })],
  ['a log line', logs({ text: 'x'.repeat(4_096) }), logs({ text: 'x'.repeat(4_097) })],
  [
    'log lines at once',
    { ...logs({}), items: many(32, logs({}).items[0]) },
    { ...logs({}), items: many(33, logs({}).items[0]) },
  ],
  ['checkpoints at once', checkpoint(16), checkpoint(17)],
  [
    'the size of a checkpoint',
    checkpoint(1, { sizeBytes: Number.MAX_SAFE_INTEGER }),
    checkpoint(1, { sizeBytes: -1 }),
  ],
  [
    'receipts in a batch',
    receipts(many(MAX_RECEIPTS_IN_BATCH, '')),
    receipts(many(MAX_RECEIPTS_IN_BATCH + 1, '')),
  ],
  ['receipts at least', receipts(['']), receipts([])],
  [
    'a receipt',
    receipts(['x'.repeat(MAX_RECEIPT_LENGTH)]),
    receipts(['x'.repeat(MAX_RECEIPT_LENGTH + 1)]),
  ],
  ['a signature', receipts(['']), receipts([''], { signature: '5'.repeat(89) })],
  ['versions', { ...login, versions: many(16, 1) }, { ...login, versions: many(17, 1) }],
  [
    'attempts held at login',
    { ...login, holding: many(MAX_HELD_ATTEMPTS, lease) },
    { ...login, holding: many(MAX_HELD_ATTEMPTS + 1, lease) },
  ],
  ['a nonce', { ...login, nonce: 'n'.repeat(64) }, { ...login, nonce: 'n'.repeat(65) }],
  ['the bytes of a key', login, { ...login, publicKey: '1'.repeat(33) }],
  [
    'a name',
    { ...login, profile: { ...profile, name: 'n'.repeat(63) } },
    { ...login, profile: { ...profile, name: 'n'.repeat(64) } },
  ],
  [
    'slots',
    { ...login, profile: { ...profile, slots: MAX_HELD_ATTEMPTS } },
    { ...login, profile: { ...profile, slots: MAX_HELD_ATTEMPTS + 1 } },
  ],
  [
    'an ask',
    { ...login, profile: { ...profile, asks: { gpuHour: String(MAX_MONEY), cpuHour: '0' } } },
    { ...login, profile: { ...profile, asks: { gpuHour: String(MAX_MONEY + 1n), cpuHour: '0' } } },
  ],
  [
    'an ask from below',
    login,
    { ...login, profile: { ...profile, asks: { gpuHour: '0', cpuHour: '-1' } } },
  ],
  [
    'a payout address',
    { ...login, profile: { ...profile, payout: '1'.repeat(32) } },
    { ...login, profile: { ...profile, payout: '2'.repeat(32) } },
  ],
];

describe('what a worker sends is taken up to its limit and refused just above', () => {
  test.each(LIMITS)('%s', (_, last, beyond) => {
    expect(decodeFromWorker(JSON.stringify(last))).toEqual({ ok: true, message: last });
    expect(decodeFromWorker(JSON.stringify(beyond))).toMatchObject({
      ok: false,
      code: 'VALIDATION_FAILED',
    });
  });

  test('a frame', () => {
    const frame = JSON.stringify({ type: 'drain', ...inSession });
    expect(decodeFromWorker(frame.padEnd(MAX_FRAME_BYTES)).ok).toBe(true);
    expect(decodeFromWorker(frame.padEnd(MAX_FRAME_BYTES + 1))).toMatchObject({
      code: 'JSON_TOO_LARGE',
    });
  });

  test('nesting, which no message needs', () => {
    const nested = '['.repeat(MAX_JSON_DEPTH + 1) + ']'.repeat(MAX_JSON_DEPTH + 1);
    expect(decodeFromWorker(nested)).toMatchObject({ code: 'JSON_TOO_DEEP' });
  });
});

test.each([
  ['an unknown type', '{"type":"shutdown"}'],
  ['no type', '{}'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a text', '"drain"'],
  ['an unknown member', JSON.stringify({ type: 'drain', ...inSession, force: true })],
  ['a missing member', JSON.stringify({ type: 'drain', seq: 1 })],
  ['a fraction', JSON.stringify({ type: 'drain', ...inSession, seq: 0.5 })],
  ['another kind of id', JSON.stringify({ type: 'drain', ...inSession, session: attemptId })],
  [
    'infinity in metrics',
    JSON.stringify(progress({})).replace('"metrics":{}', '"metrics":{"loss":1e999}'),
  ],
])('a frame with %s is refused', (_, frame) => {
  expect(decodeFromWorker(frame)).toMatchObject({ ok: false, code: 'VALIDATION_FAILED' });
});

test.each([
  ['twice the same key', `{"type":"drain","type":"drain"}`, 'JSON_DUPLICATE_KEY'],
  ['a key that reaches a prototype', `{"type":"drain","__proto__":{}}`, 'JSON_FORBIDDEN_KEY'],
  ['no JSON', 'type=drain', 'JSON_MALFORMED'],
])('a frame with %s has the code of the scanner', (_, frame, code) => {
  expect(decodeFromWorker(frame)).toMatchObject({ ok: false, code });
});

test('a refusal names the member', () => {
  expect(decodeFromWorker(JSON.stringify(progress({ step: -1 })))).toMatchObject({
    detail: expect.stringMatching(/^items\.0\.step: /) as string,
  });
});

test('the largest lists fit a frame', () => {
  const { length: heartbeat } = JSON.stringify({
    type: 'heartbeat',
    ...inSession,
    attempts: many(MAX_HELD_ATTEMPTS, attemptId),
  });
  const { length: accept } = JSON.stringify({
    type: 'accept',
    ...inSession,
    leases: many(MAX_HELD_ATTEMPTS, lease),
  });
  expect(Math.max(heartbeat, accept)).toBeLessThan(MAX_FRAME_BYTES);
});

test('an offer is refused when its payload is larger than one can be', () => {
  const offer = (payload: string) => ({
    type: 'offer',
    offers: [
      {
        jobId: 'job_7zzzzzzzzzzzzzzzzzzzzzzzzz',
        taskId: 'tsk_7zzzzzzzzzzzzzzzzzzzzzzzzz',
        ...lease,
        payload,
        inputs: many(64, { digest, sizeBytes: 1 }),
        needs: profile.resources,
        maxDurationMs: 1,
      },
    ],
  });
  const decode = (payload: string) => decodeFromOrchestrator(JSON.stringify(offer(payload)));
  expect(decode('x'.repeat(128 * 1_024)).ok).toBe(true);
  expect(decode('x'.repeat(128 * 1_024 + 1)).ok).toBe(false);
});
