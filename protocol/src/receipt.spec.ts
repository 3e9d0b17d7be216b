import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { nodeSha256, nodeVerifier } from '../node/node-crypto.js';
import { decodeBase58, encodeBase58 } from './base58.js';
import { bytesToHex } from './crypto.js';
import {
  MAX_RECEIPTS_IN_BATCH,
  Receipt,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  SignedReceipts,
} from './receipt.js';

interface Vectors {
  readonly publicKey: string;
  readonly receipts: readonly { receipt: Receipt; text: string; hash: string }[];
  readonly batches: readonly {
    of: number[];
    root: string;
    signedBytes: string;
    signature: string;
  }[];
}

// The file is ours and the tests below would fail on any other shape.
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/receipts.json', import.meta.url), 'utf8'),
) as Vectors;
const SEED = new Uint8Array(32).fill(1);
const publicKey = decodeBase58(vectors.publicKey) ?? new Uint8Array();
const [sample] = vectors.receipts;
const hashes = vectors.receipts.map(({ text }) => receiptHash(text, sha256));

describe('the vectors', () => {
  test('are signed with the key of the seed of 32 bytes 01', () => {
    expect(encodeBase58(ed25519.getPublicKey(SEED))).toBe(vectors.publicKey);
  });

  test.each(vectors.receipts)(
    'have the text and hash of $receipt.taskId',
    ({ receipt, text, hash }) => {
      expect(receiptText(Receipt.parse(receipt))).toBe(text);
      expect(bytesToHex(receiptHash(text, nodeSha256))).toBe(hash);
      expect(receiptText(Receipt.parse(JSON.parse(text)))).toBe(text);
    },
  );

  test.each(vectors.batches)(
    'have the root and signature of the batch $of',
    ({ of, root, signedBytes, signature }) => {
      const bytes = receiptsSigningBytes(
        of.map((i) => hashes[i] ?? new Uint8Array()),
        sha256,
      );
      expect(bytesToHex(bytes)).toBe(signedBytes);
      expect(bytesToHex(bytes.slice(-32))).toBe(root);
      const signed = decodeBase58(signature) ?? new Uint8Array();
      expect(encodeBase58(ed25519.sign(bytes, SEED))).toBe(signature);
      expect(nodeVerifier()(publicKey, bytes, signed)).toBe(true);
    },
  );
});

test('a batch of one is signed over its own hash', () => {
  const [hash = new Uint8Array()] = hashes;
  expect(receiptsSigningBytes([hash], sha256).slice(-32)).toEqual(hash);
});

test('every size of batch has bytes of its own', () => {
  const sizes = Array.from({ length: MAX_RECEIPTS_IN_BATCH }, (_, i) => i + 1);
  const bytes = sizes.map((size) =>
    bytesToHex(
      receiptsSigningBytes(Array<Uint8Array>(size).fill(hashes[0] ?? new Uint8Array()), sha256),
    ),
  );
  expect(new Set(bytes).size).toBe(MAX_RECEIPTS_IN_BATCH);
});

test('the order of a batch is part of what is signed', () => {
  const turned = receiptsSigningBytes([...hashes].reverse(), sha256);
  expect(bytesToHex(turned)).not.toBe(bytesToHex(receiptsSigningBytes(hashes, sha256)));
});

test('any change of a receipt changes its hash', () => {
  const receipt = sample?.receipt as Receipt; // the first vector
  const changes: Partial<Receipt>[] = [
    { network: 'tidemill:other' },
    { audience: 'other.example' },
    { fence: receipt.fence + 1 },
    { runtimeClass: 'noop/2' },
    { issuedAtMs: receipt.issuedAtMs + 1 },
    { usage: { ...receipt.usage, billableMs: receipt.usage.billableMs + 1 } },
    { metrics: { loss: '0' } },
  ];
  const all = [receipt, ...changes.map((change) => ({ ...receipt, ...change }))];
  expect(new Set(all.map((one) => bytesToHex(receiptHash(receiptText(one), sha256)))).size).toBe(
    all.length,
  );
});

test.each([
  ['a member too many', { extra: 1 }],
  ['a member too few', { fence: undefined }],
  ['a fence of zero', { fence: 0 }],
  ['a fence that no lease has', { fence: 2 ** 31 }],
  ['a fraction of a millisecond', { issuedAtMs: 0.5 }],
  ['a number as a metric', { metrics: { loss: 0.5 } }],
  ['another outcome', { outcome: 'skipped' }],
  [
    'an output with a path',
    { outputs: [{ name: '../model.json', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 }] },
  ],
  ['a failure code in lower case', { failure: { code: 'oom', message: '', fault: 'job' } }],
  ['a failure that is nobody’s', { failure: { code: 'OOM', message: '', fault: 'nobody' } }],
  ['a digest in capitals', { taskDigest: `sha256:${'A'.repeat(64)}` }],
  ['another kind of id', { taskId: sample?.receipt.jobId }],
])('a receipt with %s is refused', (_, change) => {
  expect(Receipt.safeParse(sample?.receipt).success).toBe(true);
  expect(Receipt.safeParse({ ...sample?.receipt, ...change }).success).toBe(false);
});

test.each([
  [1, true],
  [MAX_RECEIPTS_IN_BATCH, true],
  [0, false],
  [MAX_RECEIPTS_IN_BATCH + 1, false],
])('a batch of %i is taken: %s', (size, taken) => {
  const batch = { receipts: Array(size).fill('{}'), signature: vectors.batches[0]?.signature };
  expect(SignedReceipts.safeParse(batch).success).toBe(taken);
});
