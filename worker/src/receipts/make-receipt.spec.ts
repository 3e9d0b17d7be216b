import { Receipt } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import type { AttemptResult } from '../attempts/result.js';
import { anId, anOffer } from '../testing/builders.js';
import { makeReceipt } from './make-receipt.js';

const identity = { network: 'testnet', audience: '127.0.0.1', workerId: anId('worker') };
const result: AttemptResult = {
  runtimeClass: 'noop/1',
  outcome: 'succeeded',
  failure: null,
  outputs: [],
  commitment: null,
  metrics: { loss: '0.25' },
  usage: { cpuMs: 12.7, maxRssMib: 3.2 },
};

const receiptFor = (about: Partial<AttemptResult>) => {
  const made = makeReceipt(
    identity,
    anOffer(),
    { ...result, ...about },
    { billableMs: 5, nowMs: 1_000 },
    nodeSha256,
  );
  return { made, receipt: Receipt.parse(JSON.parse(made.text)) };
};

test('a result becomes a receipt in whole numbers', () => {
  expect(receiptFor({}).receipt).toMatchObject({
    outcome: 'succeeded',
    metrics: { loss: '0.25' },
    usage: { billableMs: 5, cpuMs: 13, maxRssMib: 3 },
  });
});

test.each([
  [
    'an output with a name that is none',
    { outputs: [{ name: '../up', digest: 'sha256:x' as never, sizeBytes: 1 }] },
  ],
  ['a commitment that is none', { commitment: 'yes' }],
  ['a metric too long to read', { metrics: { loss: 'x'.repeat(65) } }],
  ['usage that is no number', { usage: { cpuMs: Number.NaN, maxRssMib: 0 } }],
])('%s makes it a failure of the worker', (_, about) => {
  const { made, receipt } = receiptFor(about);
  expect(made.outcome).toBe('failed');
  expect(receipt).toMatchObject({
    outcome: 'failed',
    failure: { code: 'RESULT_INVALID', fault: 'worker' },
    outputs: [],
  });
});

test('a long message is cut, also in the middle of a letter', () => {
  const message = `${'x'.repeat(1_999)}😀`;
  const { receipt } = receiptFor({
    outcome: 'failed',
    failure: { code: 'CRASHED', message, fault: 'job' },
  });
  expect(receipt.failure?.message).toBe(`${'x'.repeat(1_999)}…`);
});
