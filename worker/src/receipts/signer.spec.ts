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
import { signBatch } from './signer.js';

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
  for (const count of [1, 2, 3, 63, 64]) {
    const batch = signBatch(texts(count), signer, nodeSha256);
    expect(batch.receipts).toEqual(texts(count));
    expect(isValid(batch)).toBe(true);
  }
});

test('a batch takes what fits one frame, from the first on', () => {
  expect(signBatch(texts(65), signer, nodeSha256).receipts).toEqual(texts(64));
  const long = Array.from({ length: 20 }, (_, i) => String(i).padEnd(16_000, 'x'));
  const batch = signBatch(long, signer, nodeSha256);
  expect(batch.receipts).toEqual(long.slice(0, 15));
  expect(isValid(batch)).toBe(true);
});

test('a batch with another order, one receipt less or one changed does not verify', () => {
  const { receipts, signature } = signBatch(texts(5), signer, nodeSha256);
  expect(isValid({ receipts: receipts.toReversed(), signature })).toBe(false);
  expect(isValid({ receipts: receipts.slice(1), signature })).toBe(false);
  expect(isValid({ receipts: receipts.with(2, '{"n":9}'), signature })).toBe(false);
});

test('a single receipt is signed over its own hash behind the tag', () => {
  const { signature } = signBatch(texts(1), signer, nodeSha256);
  const expected = Buffer.concat([
    utf8ToBytes(`${TAGS.receipts}\n`),
    receiptHash('{"n":0}', nodeSha256),
  ]);
  expect(verify(signer.publicKey, expected, decodeBase58(signature) ?? new Uint8Array())).toBe(
    true,
  );
});
