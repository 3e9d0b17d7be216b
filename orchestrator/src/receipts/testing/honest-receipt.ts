import type { Receipt, WorkerId } from '@tidemill/protocol';

/** Where and when the receipt below is taken. */
export const here = {
  network: 'testnet',
  audience: 'tidemill.test',
  nowMs: 1_800_000_000_000,
} as const;
export const workerId = 'wrk_01890a5d000000000000000001' as WorkerId;

/** A receipt with nothing wrong in it. */
export const honest = {
  network: here.network,
  audience: here.audience,
  workerId,
  jobId: 'job_01890a5d000000000000000001',
  taskId: 'tsk_01890a5d000000000000000001',
  attemptId: 'att_01890a5d000000000000000001',
  fence: 1,
  taskDigest: `sha256:${'0'.repeat(64)}`,
  runtimeClass: 'noop/1',
  outcome: 'succeeded',
  failure: null,
  outputs: [],
  commitment: null,
  metrics: {},
  usage: { billableMs: 10, cpuMs: 10, maxRssMib: 1 },
  issuedAtMs: here.nowMs - 1_000,
  expiresAtMs: here.nowMs + 1_000_000,
} as unknown as Receipt; // ids by their text
