import {
  decodeBase58,
  encodeBase58,
  hexToBytes,
  LOGIN_NONCE_TTL_MS,
  loginText,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  RECEIPT_TTL_MS,
  tagged,
  TAGS,
  utf8ToBytes,
  type FromWorker,
  type SignedReceipts,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import fc from 'fast-check';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Config } from '../config/env.js';
import { soundKey } from '../identity/directory.js';
import { Handshake, type Challenge } from '../gateway/handshake.js';
import { profileOf } from '../testing/stage-worker.js';
import { StillClock } from '../trail/testing/still-clock.js';
import { checkReceipts } from './check-receipts.js';
import { here, honest, workerId } from './testing/honest-receipt.js';

/** The order of the group: S and S + L say the same, and only S may pass. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** Cases of each kind; a long run has a hundred times as many. */
const MUTATIONS = process.env['TIDEMILL_TEST_LONG'] === '1' ? 250_000 : 2_500;

interface Key {
  readonly address: string;
  readonly publicKey: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}
function aKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    address: encodeBase58(bytes),
    publicKey: bytes,
    sign: (text) => sign(null, text, privateKey),
  };
}
const [mine, other] = [aKey(), aKey()];
const verify = nodeVerifier();
const number = (bytes: Uint8Array) =>
  bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
const bytesOf = (value: bigint) =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
const withS = (signature: Uint8Array, change: (s: bigint) => bigint) =>
  Uint8Array.from([
    ...signature.subarray(0, 32),
    ...bytesOf(change(number(signature.subarray(32)))),
  ]);

/** Ways to spoil a signature, whatever it was made over. */
const SPOILT: readonly (readonly [string, (signature: Uint8Array) => Uint8Array])[] = [
  ['S + L, which is the same number to a careless verifier', (s) => withS(s, (n) => n + L)],
  ['S + 2 L', (s) => withS(s, (n) => n + 2n * L)],
  ['L - S', (s) => withS(s, (n) => L - n)],
  ['S = 0', (s) => withS(s, () => 0n)],
  ['S = L', (s) => withS(s, () => L)],
  ['the three high bits of S set', (s) => withS(s, (n) => n | (7n << 253n))],
  ['S of ones', (s) => withS(s, () => 2n ** 256n - 1n)],
  ['R = 0', (s) => Uint8Array.from([...new Uint8Array(32), ...s.subarray(32)])],
  ['R the neutral point', (s) => Uint8Array.from([1, ...new Uint8Array(31), ...s.subarray(32)])],
  ['R of ones', (s) => Uint8Array.from([...new Uint8Array(32).fill(255), ...s.subarray(32)])],
  ['the sign of R turned', (s) => s.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte))],
  ['R and S exchanged', (s) => Uint8Array.from([...s.subarray(32), ...s.subarray(0, 32)])],
  ['all zeros', () => new Uint8Array(64)],
  ['reversed', (s) => Uint8Array.from(s).reverse()],
  ['a byte short', (s) => s.subarray(0, 63)],
  ['a byte long', (s) => Uint8Array.from([...s, 0])],
  ['its first half', (s) => s.subarray(0, 32)],
  ['twice', (s) => Uint8Array.from([...s, ...s])],
  ['empty', () => new Uint8Array()],
];

describe('a worker’s login (G21)', () => {
  type Login = Extract<FromWorker, { type: 'login' }>;
  const clock = new StillClock();
  const config = { network: 'testnet', audience: 'tidemill.test' } as Config; // what a handshake reads of it
  const handshake = new Handshake(config, clock, verify);

  const textOf = (challenge: Challenge, says: Partial<Parameters<typeof loginText>[0]> = {}) => {
    const { audience, network, nonce, issuedAt, expiresAt } = challenge;
    const asked = { audience, network, nonce, issuedAt, expiresAt };
    return loginText({ purpose: 'worker', publicKey: mine.address, ...asked, ...says });
  };
  const login = (
    challenge: Challenge,
    signature: Uint8Array,
    says: Partial<Login> = {},
  ): Login => ({
    type: 'login',
    versions: [1],
    publicKey: mine.address,
    nonce: challenge.nonce,
    signature: encodeBase58(signature),
    profile: profileOf('pool'),
    holding: [],
    ...says,
  });
  const signed = (text: string | Uint8Array) =>
    mine.sign(typeof text === 'string' ? utf8ToBytes(text) : text);
  const isLetIn = (challenge: Challenge, answer: Login) => handshake.check(challenge, answer).ok;

  test('is let in when it signs this challenge, whatever it says beside it', () => {
    for (let i = 0; i < 200; i += 1) {
      const challenge = handshake.challenge();
      expect(isLetIn(challenge, login(challenge, signed(textOf(challenge))))).toBe(true);
    }
  });

  const overAnother: readonly (readonly [string, (c: Challenge) => string | Uint8Array])[] = [
    ['a submitter’s purpose', (c) => textOf(c, { purpose: 'submitter' })],
    ['another audience', (c) => textOf(c, { audience: 'elsewhere.test' })],
    ['the audience with a port', (c) => textOf(c, { audience: `${c.audience}:443` })],
    ['the audience in capitals', (c) => textOf(c, { audience: c.audience.toUpperCase() })],
    ['another network', (c) => textOf(c, { network: 'mainnet' })],
    ['another key’s name', (c) => textOf(c, { publicKey: other.address })],
    ['another nonce', () => textOf(handshake.challenge())],
    ['a nonce cut short', (c) => textOf(c, { nonce: c.nonce.slice(1) })],
    ['no nonce', (c) => textOf(c, { nonce: '' })],
    ['an earlier issue', (c) => textOf(c, { issuedAt: '2020-01-01T00:00:00.000Z' })],
    ['a later end', (c) => textOf(c, { expiresAt: '2130-01-01T00:00:00.000Z' })],
    ['the text and a line more', (c) => `${textOf(c)}\n`],
    ['the text with returns', (c) => textOf(c).replaceAll('\n', '\r\n')],
    ['the text without its domain', (c) => textOf(c).replace(/\n- tidemill.*$/, '')],
    ['the next version of the domain', (c) => textOf(c).replace('login/1', 'login/2')],
    ['the nonce alone', (c) => c.nonce],
    ['the text’s SHA-256', (c) => createHash('sha256').update(textOf(c)).digest()],
    ['the text as receipts are signed', (c) => tagged(TAGS.receipts, utf8ToBytes(textOf(c)))],
    ['the text as checkpoints are signed', (c) => tagged(TAGS.checkpoint, utf8ToBytes(textOf(c)))],
    ['the text as UTF-16', (c) => Buffer.from(textOf(c), 'utf16le')],
    ['nothing', () => ''],
  ];
  test.each(overAnother)('is refused with a signature over %s', (_, text) => {
    const challenge = handshake.challenge();
    expect(isLetIn(challenge, login(challenge, signed(text(challenge))))).toBe(false);
  });

  test.each(SPOILT)('is refused with a signature that is %s', (_, spoil) => {
    const challenge = handshake.challenge();
    expect(isLetIn(challenge, login(challenge, spoil(signed(textOf(challenge)))))).toBe(false);
  });

  const spelled: readonly (readonly [string, (right: Login) => Partial<Login>])[] = [
    ['another key', () => ({ publicKey: other.address })],
    ['a key of 31 bytes', () => ({ publicKey: encodeBase58(mine.publicKey.subarray(1)) })],
    ['a key of 33 bytes', () => ({ publicKey: encodeBase58(Uint8Array.of(0, ...mine.publicKey)) })],
    ['a key that is no base58', () => ({ publicKey: '0OIl' })],
    ['a signature that is no base58', () => ({ signature: '0OIl' })],
    ['a signature with a zero before it', ({ signature }) => ({ signature: `1${signature}` })],
    ['another nonce in its frame', () => ({ nonce: handshake.challenge().nonce })],
  ];
  test.each(spelled)('is refused with %s', (_, says) => {
    const challenge = handshake.challenge();
    const right = login(challenge, signed(textOf(challenge)));
    expect(isLetIn(challenge, right)).toBe(true);
    expect(isLetIn(challenge, { ...right, ...says(right) })).toBe(false);
  });

  test('is refused on another socket, and when its time is over', () => {
    const challenge = handshake.challenge();
    const right = login(challenge, signed(textOf(challenge)));
    expect(isLetIn(handshake.challenge(), right)).toBe(false);
    clock.atMs += LOGIN_NONCE_TTL_MS;
    expect(isLetIn(challenge, right)).toBe(false);
  });

  test('is refused with any one bit of signature, key or text turned', async ({ annotate }) => {
    const challenge = handshake.challenge();
    const text = utf8ToBytes(textOf(challenge));
    const proof = signed(text);
    fc.assert(
      fc.property(fc.nat(511), fc.constantFrom('signature', 'key', 'text'), (bit, where) => {
        const turned = (bytes: Uint8Array) =>
          bytes.map((byte, i) =>
            i === (bit >> 3) % bytes.length ? byte ^ (1 << (bit & 7)) : byte,
          );
        const forged =
          where === 'signature'
            ? login(challenge, turned(proof))
            : where === 'key'
              ? login(challenge, proof, { publicKey: encodeBase58(turned(mine.publicKey)) })
              : login(challenge, signed(turned(text)));
        expect(isLetIn(challenge, forged)).toBe(false);
      }),
      { numRuns: MUTATIONS },
    );
    await annotate(`${MUTATIONS} mutations refused (10,000 asked)`, 'T9');
  });
});

describe('a key that is registered (G21)', () => {
  interface Named {
    readonly name: string;
    readonly hex: string;
  }
  // The file is ours, and the protocol's own tests hold it to its shape.
  const keys = JSON.parse(
    readFileSync(new URL('../../../protocol/vectors/ed25519-keys.json', import.meta.url), 'utf8'),
  ) as Record<'smallOrder' | 'otherSpellings' | 'mixedOrder' | 'unsound' | 'sound', Named[]>;

  test.each([...keys.smallOrder, ...keys.otherSpellings, ...keys.mixedOrder, ...keys.unsound])(
    'is refused: $name $hex',
    ({ hex }) => {
      expect(() => soundKey(encodeBase58(hexToBytes(hex)))).toThrow('KEY_UNSOUND');
    },
  );

  test('is taken when it is one, for all the keys that are ever made', () => {
    for (const { hex } of keys.sound) soundKey(encodeBase58(hexToBytes(hex)));
    for (let i = 0; i < 50; i += 1) soundKey(aKey().address);
    expect(keys.sound.length).toBeGreaterThan(2);
  });
});

describe('a receipt (G4, G21)', () => {
  const { nowMs: NOW_MS } = here;
  const text = receiptText(honest);
  const saying = (says: object) => receiptText({ ...honest, ...says });
  const hashesOf = (texts: readonly string[]) => texts.map((one) => receiptHash(one, nodeSha256));
  const proofOf = (texts: readonly string[], key = mine) =>
    key.sign(receiptsSigningBytes(hashesOf(texts), nodeSha256));
  const batch = (texts: readonly string[], signature: Uint8Array): SignedReceipts => ({
    receipts: [...texts],
    signature: encodeBase58(signature),
  });
  const passing = (sent: SignedReceipts, publicKey: Uint8Array | null = mine.publicKey) =>
    checkReceipts(sent, { workerId, publicKey }, here, verify).filter(({ ok }) => ok).length;

  test('is taken when its worker signed it, alone or among others, up to a full batch', () => {
    for (let size = 1; size <= 64; size += 1) {
      const texts = Array.from({ length: size }, (_, fence) => saying({ fence: fence + 1 }));
      expect(passing(batch(texts, proofOf(texts)))).toBe(size);
    }
  });

  const [first, second, third] = [saying({ fence: 1 }), saying({ fence: 2 }), saying({ fence: 3 })];
  const three = [first, second, third];
  const wrong: readonly (readonly [string, SignedReceipts])[] = [
    ['signed by another key', batch([text], proofOf([text], other))],
    ['with the proof of another receipt', batch([text], proofOf([second]))],
    [
      'whose attempt was exchanged',
      batch([saying({ attemptId: honest.attemptId.replace(/1$/, '2') })], proofOf([text])),
    ],
    ['whose fence was raised', batch([saying({ fence: 2 })], proofOf([text]))],
    [
      'whose time was raised',
      batch([saying({ usage: { ...honest.usage, billableMs: 11 } })], proofOf([text])),
    ],
    ['whose outcome was turned', batch([text.replace('succeeded', 'failed')], proofOf([text]))],
    [
      'of another worker',
      batch(
        [saying({ workerId: workerId.replace(/1$/, '2') })],
        proofOf([saying({ workerId: workerId.replace(/1$/, '2') })]),
      ),
    ],
    [
      'for another network',
      batch([saying({ network: 'mainnet' })], proofOf([saying({ network: 'mainnet' })])),
    ],
    [
      'for another audience',
      batch(
        [saying({ audience: 'elsewhere.test' })],
        proofOf([saying({ audience: 'elsewhere.test' })]),
      ),
    ],
    [
      'that has expired',
      batch([saying({ expiresAtMs: NOW_MS - 1 })], proofOf([saying({ expiresAtMs: NOW_MS - 1 })])),
    ],
    [
      'from the future',
      batch(
        [saying({ issuedAtMs: NOW_MS + 3_600_000 })],
        proofOf([saying({ issuedAtMs: NOW_MS + 3_600_000 })]),
      ),
    ],
    [
      'that is good for ever',
      batch(
        [saying({ expiresAtMs: NOW_MS + 2 * RECEIPT_TTL_MS })],
        proofOf([saying({ expiresAtMs: NOW_MS + 2 * RECEIPT_TTL_MS })]),
      ),
    ],
    ['signed as text', batch([text], mine.sign(utf8ToBytes(text)))],
    ['signed as its hash', batch([text], mine.sign(receiptHash(text, nodeSha256)))],
    [
      'signed as a login',
      batch([text], mine.sign(tagged(TAGS.login, receiptHash(text, nodeSha256)))),
    ],
    [
      'signed as a checkpoint',
      batch([text], mine.sign(tagged(TAGS.checkpoint, receiptHash(text, nodeSha256)))),
    ],
    [
      'signed as an event of the trail',
      batch([text], mine.sign(tagged(TAGS.trailEvent, receiptHash(text, nodeSha256)))),
    ],
    ['with a space more', batch([`${text} `], proofOf([text]))],
    [
      'with its members in another order',
      batch(
        [JSON.stringify(Object.fromEntries(Object.entries(honest).reverse()))],
        proofOf([text]),
      ),
    ],
    ['taken out of its batch', batch([first], proofOf(three))],
    ['in a batch cut short', batch([first, second], proofOf(three))],
    ['in a batch with one more', batch([...three, text], proofOf(three))],
    ['in a batch in another order', batch([third, second, first], proofOf(three))],
    ['in a batch with one twice', batch([first, first, second, third], proofOf(three))],
    [
      'in place of an inner node of the batch',
      batch([first, second], mine.sign(tagged(TAGS.receipts, receiptHash(first, nodeSha256)))),
    ],
  ];
  test.each(wrong)('is refused %s', (_, sent) => {
    expect(passing(sent)).toBe(0);
  });

  test.each(SPOILT)('is refused with a signature that is %s', (_, spoil) => {
    expect(passing(batch([text], spoil(proofOf([text]))))).toBe(0);
    expect(passing(batch(three, spoil(proofOf(three))))).toBe(0);
  });

  test('is refused from somebody whose key is not known', () => {
    expect(passing(batch([text], proofOf([text])), null)).toBe(0);
    expect(passing(batch([text], proofOf([text])), mine.publicKey.subarray(1))).toBe(0);
  });

  test('is refused with any one bit of its signature turned, or its signer’s key', async ({
    annotate,
  }) => {
    const proof = proofOf([text]);
    fc.assert(
      fc.property(fc.nat(511), fc.boolean(), (bit, isKey) => {
        const turned = (bytes: Uint8Array) =>
          bytes.map((byte, i) =>
            i === (bit >> 3) % bytes.length ? byte ^ (1 << (bit & 7)) : byte,
          );
        expect(
          isKey
            ? passing(batch([text], proof), turned(mine.publicKey))
            : passing(batch([text], turned(proof))),
        ).toBe(0);
      }),
      { numRuns: MUTATIONS },
    );
    await annotate(`${MUTATIONS} mutations refused (10,000 asked)`, 'T9');
  });

  test('is refused with any character of its text changed, taken away or added', async ({
    annotate,
  }) => {
    const proof = proofOf([text]);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('change', 'remove', 'add'),
        fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
        (at, how, character) => {
          const kept = how === 'add' ? at : at + 1;
          const changed =
            text.slice(0, at) + (how === 'remove' ? '' : character) + text.slice(kept);
          fc.pre(changed !== text);
          expect(passing(batch([changed], proof))).toBe(0);
        },
      ),
      { numRuns: MUTATIONS },
    );
    await annotate(`${MUTATIONS} mutations refused (10,000 asked)`, 'T9');
  });

  test('is refused in any other selection of its batch', async ({ annotate }) => {
    const texts = Array.from({ length: 8 }, (_, fence) => saying({ fence: fence + 1 }));
    const proof = proofOf(texts);
    fc.assert(
      fc.property(fc.array(fc.nat(7), { minLength: 1, maxLength: 12 }), (picks) => {
        fc.pre(picks.length !== 8 || picks.some((pick, i) => pick !== i));
        const picked = picks.map((pick) => texts[pick] ?? '');
        expect(passing(batch(picked, proof))).toBe(0);
      }),
      { numRuns: MUTATIONS },
    );
    await annotate(`${MUTATIONS} mutations refused (10,000 asked)`, 'T9');
  });
});

test('base58 has one spelling for each key and signature, or one login could be sent twice', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 64 }), (bytes) => {
      const spelling = encodeBase58(bytes);
      expect(decodeBase58(spelling)).toEqual(bytes);
      expect(decodeBase58(`1${spelling}`)).not.toEqual(bytes);
      expect(decodeBase58(` ${spelling}`)).toBeNull();
    }),
  );
});
