import fc from 'fast-check';
import { encodeBase58 } from '../base58.js';
import { MAX_COUNT } from '../count.js';
import { makeId, type IdKind } from '../ids.js';
import type { FromOrchestrator, FromWorker } from '../messages.js';
import { MAX_MONEY } from '../money.js';
import { ISOLATION_LEVELS } from '../resources.js';

/** Arbitrary messages that fit their schemas, up to the limits; short lists, so that many runs stay cheap. */

const idOf = <K extends IdKind>(kind: K) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
    )
    .map(([ms, random]) => makeId(kind, ms, random));

const base58Of = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(encodeBase58);
const hex32 = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 64,
  maxLength: 64,
});
const digest = hex32.map((hex) => `sha256:${hex}`);
const count = fc.integer({ min: 0, max: MAX_COUNT });
const size = fc.maxSafeNat();
const fence = fc.integer({ min: 1, max: MAX_COUNT });
const text = (maxLength: number) =>
  fc
    .string({ unit: 'binary', maxLength: Math.min(maxLength, 60) })
    .map((any) => any.slice(0, maxLength));
const key = (maxLength: number) =>
  text(maxLength).filter((any) => !['__proto__', 'constructor', 'prototype'].includes(any));
const few = <T>(item: fc.Arbitrary<T>, minLength = 0) =>
  fc.array(item, { minLength, maxLength: 3 });
const ask = fc.bigInt({ min: 0n, max: MAX_MONEY }).map(String);
const nonce = fc.string({ unit: fc.constantFrom(...'aZ09_-'), minLength: 1, maxLength: 64 });

const resources = fc.record({
  gpuMilli: fc.integer({ min: 0, max: 64_000 }),
  vramMib: fc.integer({ min: 0, max: 67_108_864 }),
  cpuMilli: fc.integer({ min: 0, max: 4_096_000 }),
  memoryMib: fc.integer({ min: 0, max: 67_108_864 }),
  diskMib: fc.integer({ min: 0, max: 67_108_864 }),
});

const profile = fc.record(
  {
    name: fc.string({ unit: fc.constantFrom(...'aZ9 ._-äß日'), minLength: 1, maxLength: 63 }),
    capabilities: fc.record({
      runtimes: few(
        fc.record({ name: fc.constantFrom('noop', 'tfjs'), class: fc.constantFrom('noop/1', 'x') }),
        1,
      ),
      isolation: fc.constantFrom(...ISOLATION_LEVELS),
      gpuModel: fc.option(text(64)),
      region: fc.constantFrom('', 'eu-1'),
      os: text(64),
      agent: text(64),
    }),
    resources,
    slots: fc.integer({ min: 1, max: 256 }),
    asks: fc.record({ gpuHour: ask, cpuHour: ask }),
    payout: base58Of(32),
  },
  { requiredKeys: ['name', 'capabilities', 'resources', 'slots', 'asks'] },
);

const lease = { attemptId: idOf('attempt'), fence };
const inSession = { session: idOf('session'), seq: fc.maxSafeNat() };
const leases = few(fc.record(lease), 1);

// The schemas' branded texts come out of their generators as plain ones.
export const anyFromWorker = fc.oneof(
  fc.record({
    type: fc.constant('login'),
    versions: few(fc.integer({ min: 1, max: 9 }), 1),
    publicKey: base58Of(32),
    nonce,
    signature: base58Of(64),
    profile,
    holding: few(fc.record(lease)),
  }),
  fc.record({ type: fc.constant('heartbeat'), ...inSession, attempts: few(idOf('attempt')) }),
  fc.record({ type: fc.constant('accept'), ...inSession, leases }),
  fc.record({
    type: fc.constant('refuse'),
    ...inSession,
    leases,
    reason: fc.constantFrom('draining', 'busy', 'unable', 'owner'),
  }),
  fc.record({
    type: fc.constant('progress'),
    ...inSession,
    items: few(
      fc.record({
        ...lease,
        step: count,
        totalSteps: count,
        // JSON has no minus zero.
        metrics: fc.dictionary(
          key(32),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((any) => any + 0),
          { maxKeys: 3 },
        ),
      }),
      1,
    ),
  }),
  fc.record({
    type: fc.constant('logs'),
    ...inSession,
    items: few(
      fc.record({
        ...lease,
        line: count,
        stream: fc.constantFrom('out', 'err'),
        text: text(4_096),
      }),
      1,
    ),
  }),
  fc.record({
    type: fc.constant('checkpoint'),
    ...inSession,
    items: few(fc.record({ ...lease, step: count, digest, sizeBytes: size }), 1),
  }),
  fc.record({
    type: fc.constant('receipts'),
    ...inSession,
    receipts: few(text(200), 1),
    signature: base58Of(64),
  }),
  fc.record({ type: fc.constant('profile'), ...inSession, profile }),
  fc.record({ type: fc.constant('drain'), ...inSession }),
) as fc.Arbitrary<FromWorker>;

export const anyFromOrchestrator = fc.oneof(
  fc.record({
    type: fc.constant('challenge'),
    versions: few(fc.integer({ min: 1, max: 9 })),
    network: text(64),
    audience: text(64),
    nonce: text(64),
    issuedAt: text(32),
    expiresAt: text(32),
  }),
  fc.record({
    type: fc.constant('welcome'),
    version: count,
    session: idOf('session'),
    workerId: idOf('worker'),
    token: text(64),
    timing: fc.record({ heartbeatMs: count, leaseMs: count, selfStopMs: count }),
    kept: few(idOf('attempt')),
    gone: few(idOf('attempt')),
  }),
  fc.record({ type: fc.constant('heartbeat.ack'), seq: fc.maxSafeNat() }),
  fc.record({
    type: fc.constant('offer'),
    offers: few(
      fc.record({
        jobId: idOf('job'),
        taskId: idOf('task'),
        attemptId: idOf('attempt'),
        fence,
        payload: text(200),
        inputs: few(fc.record({ digest, sizeBytes: size })),
        needs: resources,
        maxDurationMs: fc.integer({ min: 1 }),
      }),
      1,
    ),
  }),
  fc.record({
    type: fc.constant('active'),
    attempts: few(idOf('attempt')),
    gone: few(idOf('attempt')),
  }),
  fc.record({
    type: fc.constant('cancel'),
    attempts: few(idOf('attempt'), 1),
    reason: fc.constantFrom('cancelled', 'expired', 'lost', 'preempted', 'stale'),
  }),
  fc.record({
    type: fc.constant('receipts.ack'),
    receipts: few(
      fc.record(
        {
          attemptId: idOf('attempt'),
          status: fc.constantFrom('stored', 'duplicate', 'stale', 'refused'),
          code: text(48),
        },
        { requiredKeys: ['attemptId', 'status'] },
      ),
      1,
    ),
  }),
  fc.record({ type: fc.constant('drain') }),
) as fc.Arbitrary<FromOrchestrator>;
