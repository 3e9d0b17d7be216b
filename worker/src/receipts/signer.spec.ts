import {
  decodeBase58,
  receiptHash,
  receiptsSigningBytes,
  TAGS,
  utf8ToBytes,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import { testSigner } from '../testing/test-signer.js';
import { signReceipts } from './signer.js';

const signer = testSigner();
const verify = nodeVerifier();
const texts = (count: number) => Array.from({ length: count }, (_, i) => `{"n":${i}}`);

const isValid = ({
  receipts,
  signature,
}: {
  receipts: readonly string[];
  signature: string;
}): boolean => {
  const hashes = receipts.map((text) => receiptHash(text, nodeSha256));
  const bytes = receiptsSigningBytes(hashes, nodeSha256);
  return verify(signer.publicKey, bytes, decodeBase58(signature) ?? new Uint8Array());
};

test('a batch verifies by the protocol’s own functions, whatever its size', () => {
  for (const count of [1, 2, 3, 64, 130]) {
    const batches = signReceipts(texts(count), signer, nodeSha256);
    expect(batches.flatMap(({ receipts }) => receipts)).toEqual(texts(count));
    expect(batches.every(isValid)).toBe(true);
  }
});

test('a batch with another order, one receipt less or one changed does not verify', () => {
  const [batch] = signReceipts(texts(5), signer, nodeSha256);
  if (batch === undefined) throw new Error('no batch');
  const { receipts, signature } = batch;
  expect(isValid({ receipts: receipts.toReversed(), signature })).toBe(false);
  expect(isValid({ receipts: receipts.slice(1), signature })).toBe(false);
  expect(isValid({ receipts: receipts.with(2, '{"n":9}'), signature })).toBe(false);
});

test('a single receipt is signed over its own hash behind the tag', () => {
  const [batch] = signReceipts(texts(1), signer, nodeSha256);
  const expected = Buffer.concat([
    utf8ToBytes(`${TAGS.receipts}\n`),
    receiptHash('{"n":0}', nodeSha256),
  ]);
  expect(
    verify(signer.publicKey, expected, decodeBase58(batch?.signature ?? '') ?? new Uint8Array()),
  ).toBe(true);
});
