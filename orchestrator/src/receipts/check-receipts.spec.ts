import {
  encodeBase58,
  nodeHash,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  RECEIPT_TTL_MS,
  tagged,
  TAGS,
  type SignedReceipts,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { describe, expect, test } from 'vitest';
import { generateKeyPairSync, sign } from 'node:crypto';
import { checkReceipts, mayHaveOutputs, resultOf, type Checked } from './check-receipts.js';
import { here, honest, workerId } from './testing/honest-receipt.js';

const { nowMs: NOW_MS } = here;
const keys = generateKeyPairSync('ed25519');
const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const verify = nodeVerifier();

function signed(texts: readonly string[], key = keys.privateKey): SignedReceipts {
  const hashes = texts.map((text) => receiptHash(text, nodeSha256));
  const signature = sign(null, receiptsSigningBytes(hashes, nodeSha256), key);
  return { receipts: [...texts], signature: encodeBase58(signature) };
}
const saying = (says: object): string => receiptText({ ...honest, ...says });
const check = (
  batch: SignedReceipts,
  signer = { workerId, publicKey: publicKey as Uint8Array | null },
) => checkReceipts(batch, signer, here, verify);
/** The root that a leaf's audit path leads to (RFC 9162, section 2.1.3.2). */
function rootBy(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array {
  let [at, last, root] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root, nodeSha256);
      while (at % 2 === 0 && at !== 0) [at, last] = [at >> 1, last >> 1];
    } else root = nodeHash(root, sibling, nodeSha256);
    [at, last] = [at >> 1, last >> 1];
  }
  return root;
}

const codeOf = (checked: Checked | undefined) => (checked?.ok === false ? checked.code : 'sound');
const codes = (checked: readonly Checked[]) => checked.map(codeOf);

describe('a sound receipt', () => {
  test('comes with what proves it alone: its path in the batch that was signed', () => {
    const texts = [1, 2, 3, 4, 5].map((fence) => saying({ fence }));
    const batch = signed(texts);
    const checked = check(batch);
    expect(codes(checked)).toEqual(Array(5).fill('sound'));
    for (const [index, one] of checked.entries()) {
      if (!one.ok) continue;
      const { sound } = one;
      expect([sound.text, sound.batchIndex, sound.batchSize]).toEqual([texts[index], index, 5]);
      const path = Array.from({ length: sound.path.length / 32 }, (_, i) =>
        sound.path.subarray(i * 32, (i + 1) * 32),
      );
      const root = rootBy(sound.hash, index, 5, path);
      expect(verify(publicKey, tagged(TAGS.receipts, root), sound.signature)).toBe(true);
    }
  });

  test('may be issued a little in the future, and expire in a week', () => {
    const ahead = saying({
      issuedAtMs: NOW_MS + 9 * 60_000,
      expiresAtMs: NOW_MS + 9 * 60_000 + RECEIPT_TTL_MS,
    });
    expect(codes(check(signed([ahead])))).toEqual(['sound']);
  });
});

describe('a receipt is refused', () => {
  const checkpoint = (digest: string) => [
    { name: 'checkpoint.bin', digest: `sha256:${digest}`, sizeBytes: 1 },
  ];
  const failure = { code: 'BROKE', message: '', fault: 'job' };
  test.each<[string, string, object]>([
    ['RECEIPT_FOREIGN', 'by whom it does not name', { workerId: 'wrk_01890a5d000000000000000002' }],
    ['RECEIPT_ELSEWHERE', 'for another network', { network: 'mainnet' }],
    ['RECEIPT_ELSEWHERE', 'for another orchestrator', { audience: 'elsewhere.test' }],
    ['RECEIPT_EXPIRED', 'when its time is over', { expiresAtMs: NOW_MS - 1 }],
    ['RECEIPT_TIMES', 'from the future', { issuedAtMs: NOW_MS + 11 * 60_000 }],
    [
      'RECEIPT_TIMES',
      'for longer than a week',
      { expiresAtMs: NOW_MS - 1_000 + RECEIPT_TTL_MS + 1 },
    ],
    ['RECEIPT_CONTRADICTS', 'when a success names a failure', { failure }],
    ['RECEIPT_CONTRADICTS', 'when a failure names none', { outcome: 'failed' }],
    [
      'RECEIPT_CONTRADICTS',
      'when an output stands twice',
      {
        outputs: [...checkpoint('1'.repeat(64)), ...checkpoint('1'.repeat(64))],
        commitment: '1'.repeat(64),
      },
    ],
    [
      'COMMITMENT_MISMATCH',
      'when it commits to another checkpoint',
      {
        outputs: checkpoint('1'.repeat(64)),
        commitment: '2'.repeat(64),
      },
    ],
    [
      'COMMITMENT_MISMATCH',
      'when it names a checkpoint and commits to none',
      {
        outputs: checkpoint('1'.repeat(64)),
      },
    ],
  ])('%s: %s', (code, _, says) => {
    const [checked] = check(signed([saying(says)]));
    expect(codeOf(checked)).toBe(code);
    expect(checked?.ok === false && checked.receipt?.attemptId).toBe(honest.attemptId);
  });

  test.each([
    ['text that is no JSON', 'nonsense'],
    ['JSON that is no receipt', '{}'],
    ['a member too many', JSON.stringify({ ...honest, extra: 1 })],
    ['a member twice', receiptText(honest).replace('{', '{"fence":1,')],
    ['a fraction', receiptText(honest).replace('"fence":1', '"fence":1.5')],
  ])('RECEIPT_MALFORMED: %s', (_, text) => {
    const [checked] = check(signed([text]));
    expect([codeOf(checked), checked?.ok === false && checked.receipt]).toEqual([
      'RECEIPT_MALFORMED',
      null,
    ]);
  });

  test('SIGNATURE_INVALID: signed by another key, over something else, or by a key we do not know', () => {
    const text = receiptText(honest);
    const other = generateKeyPairSync('ed25519').privateKey;
    expect(codes(check(signed([text], other)))).toEqual(['SIGNATURE_INVALID']);
    const elsewhere = { ...signed([saying({ fence: 2 })]), receipts: [text] };
    expect(codes(check(elsewhere))).toEqual(['SIGNATURE_INVALID']);
    expect(codes(check(signed([text]), { workerId, publicKey: null }))).toEqual([
      'SIGNATURE_INVALID',
    ]);
    expect(codes(check({ receipts: [text], signature: '0OIl' }))).toEqual(['SIGNATURE_INVALID']);
  });

  test('a batch from which one receipt is taken is signed by nobody', () => {
    const { receipts, signature } = signed([saying({ fence: 1 }), saying({ fence: 2 })]);
    expect(codes(check({ receipts: receipts.slice(0, 1), signature }))).toEqual([
      'SIGNATURE_INVALID',
    ]);
    expect(codes(check({ receipts: [...receipts].reverse(), signature }))).toEqual([
      'SIGNATURE_INVALID',
      'SIGNATURE_INVALID',
    ]);
  });

  test('alone: the others of its batch stand', () => {
    const batch = signed([
      receiptText(honest),
      'nonsense',
      saying({ network: 'mainnet' }),
      saying({ fence: 9 }),
    ]);
    expect(codes(check(batch))).toEqual([
      'sound',
      'RECEIPT_MALFORMED',
      'RECEIPT_ELSEWHERE',
      'sound',
    ]);
  });
});

describe('what is compared', () => {
  const output = (name: string, digit: string, sizeBytes = 1) => ({
    name,
    digest: `sha256:${digit.repeat(64)}`,
    sizeBytes,
  });
  const result = (says: object): string => resultOf({ ...honest, ...says });

  test('of outputs is their names, digests and sizes, whatever their order', () => {
    const a = output('a', '1');
    const b = output('b', '2');
    expect(result({ outputs: [a, b] })).toBe(result({ outputs: [b, a] }));
    const different = [
      [a],
      [a, output('b', '3')],
      [a, output('c', '2')],
      [a, output('b', '2', 2)],
      [],
    ];
    for (const outputs of different)
      expect(result({ outputs })).not.toBe(result({ outputs: [a, b] }));
  });

  test('of a failure is its code and not its words', () => {
    const failed = (code: string, message: string) =>
      result({ outcome: 'failed', failure: { code, message, fault: 'job' } });
    expect(failed('BROKE', 'row 7')).toBe(failed('BROKE', 'seventh row'));
    expect(failed('BROKE', '')).not.toBe(failed('OTHER', ''));
    expect(failed('BROKE', '')).toBe('failed:BROKE');
  });

  test('of a training segment is its commitment, which is the digest of its checkpoint', () => {
    const commitment = '1'.repeat(64);
    const outputs = [output('checkpoint.bin', '1')];
    expect(result({ commitment, outputs })).toBe(`commitment:${commitment}`);
    expect(result({ commitment: '2'.repeat(64), outputs })).not.toBe(
      result({ commitment, outputs }),
    );
  });

  test('of the last one is the model as well, or a right checkpoint would vouch for a wrong model', () => {
    const commitment = '1'.repeat(64);
    const made = (...files: ReturnType<typeof output>[]) =>
      result({ commitment, outputs: [output('checkpoint.bin', '1'), ...files] });
    const whole = made(output('model.json', '2'), output('weights.bin', '3'));
    expect(made(output('weights.bin', '3'), output('model.json', '2'))).toBe(whole);
    for (const other of [
      made(),
      made(output('model.json', '2')),
      made(output('model.json', '2'), output('weights.bin', '4')),
      made(output('model.json', '2'), output('weights.bin', '3'), output('more', '5')),
    ])
      expect(other).not.toBe(whole);
  });

  test('says whether there are outputs to be looked for', () => {
    expect(mayHaveOutputs(result({}))).toBe(false);
    expect(mayHaveOutputs(result({ outputs: [output('a', '1')] }))).toBe(true);
    expect(mayHaveOutputs(result({ commitment: '1'.repeat(64) }))).toBe(true);
    const failure = { code: 'BROKE', message: '', fault: 'job' };
    expect(mayHaveOutputs(result({ outcome: 'failed', failure }))).toBe(true);
  });
});
