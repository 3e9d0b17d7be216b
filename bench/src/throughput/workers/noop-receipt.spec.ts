import {
  type AttemptId,
  decodeBase58,
  type JobId,
  MAX_RECEIPTS_IN_BATCH,
  type Offer,
  Receipt,
  receiptHash,
  receiptsSigningBytes,
  SignedReceipts,
  type TaskId,
  type WorkerId,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { expect, it } from 'vitest';
import { freshSigner } from '../../keys.js';
import { signReceipts } from './noop-receipt.js';

const id = (prefix: string, n: number) => `${prefix}_${String(n).padStart(26, '0')}`;
const orchestrator = { url: 'http://127.0.0.1:1', audience: '127.0.0.1:1', network: 'bench' };
const workerId = id('wrk', 1) as WorkerId;

const offer = (n: number): Offer => ({
  jobId: id('job', n) as JobId,
  taskId: id('tsk', n) as TaskId,
  attemptId: id('att', n) as AttemptId,
  fence: 1,
  payload: '{"runtime":"noop","noop":{}}',
  inputs: [],
  needs: { gpuMilli: 0, vramMib: 0, cpuMilli: 1000, memoryMib: 0, diskMib: 0 },
  maxDurationMs: 60_000,
});

it('makes receipts of the protocol, signed as it says, in as few batches as it allows', () => {
  const signer = freshSigner();
  const verify = nodeVerifier();
  const finished = Array.from({ length: MAX_RECEIPTS_IN_BATCH + 3 }, (_, n) => ({
    offer: offer(n),
    tookMs: 1,
  }));

  const batches = signReceipts(finished, { workerId, signer, orchestrator }, 1_800_000_000_000);

  expect(batches.map(({ receipts }) => receipts.length)).toEqual([MAX_RECEIPTS_IN_BATCH, 3]);
  for (const batch of batches) {
    const { receipts, signature } = SignedReceipts.parse(batch);
    const hashes = receipts.map((text) => receiptHash(text, nodeSha256));
    const signed = receiptsSigningBytes(hashes, nodeSha256);
    expect(verify(signer.publicKey, signed, decodeBase58(signature) as Uint8Array)).toBe(true);
    for (const text of receipts) expect(Receipt.parse(JSON.parse(text)).workerId).toBe(workerId);
  }
});
