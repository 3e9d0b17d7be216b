import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeBase58, encodeBase58 } from './base58.js';
import { decodeFromOrchestrator, decodeFromWorker, encode } from './codec.js';
import { JobSpec } from './job-spec.js';
import { parseJson } from './json-scan.js';
import { LoginRequest } from './login.js';
import { merkleRoot } from './merkle.js';
import { MAX_FRAME_BYTES } from './messages.js';
import { parseAmount } from './money.js';
import { TaskPayload } from './payload.js';
import { Receipt } from './receipt.js';
import { anyFromOrchestrator, anyFromWorker } from './testing/sound-messages.js';
import { decodeCheckpoint, encodeCheckpoint } from './tfjs/checkpoint.js';
import { decodeCsv } from './tfjs/csv.js';
import { encodeNpy } from './tfjs/npy-write.js';
import { decodeNpy } from './tfjs/npy.js';
import { verifyConsistency, verifyInclusion } from './trail/merkle-proof.js';

const isLong = process.env['TIDEMILL_TEST_LONG'] === '1';
/** Cases of all decoders together. */
const CASES = isLong ? 10_000_000 : 200_000;
const DEADLINE_MS = isLong ? 3_600_000 : 120_000;
/** No input that a stranger may send costs the orchestrator's only thread more of its time than this. */
const MAX_MS = 50;
/** A case that was slow is done again so often: what the machine did meanwhile is not the decoder's. */
const AGAIN = 5;

/** A change is tried with the same inputs as the one before it; the long run draws others each time. */
const SEEDED = isLong ? {} : { seed: 20_261_124 };

const LIMIT = 300_000;
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Runs a decoder on one input: it may not throw, and it may not take long. */
function attempt(decode: (input: never) => unknown, input: unknown): void {
  const once = (): number => {
    const since = process.cpuUsage();
    decode(input as never); // each decoder is given the inputs that stand beside it
    const { user, system } = process.cpuUsage(since);
    return (user + system) / 1_000;
  };
  let ms = once();
  for (let again = 0; ms > MAX_MS && again < AGAIN; again += 1) ms = Math.min(ms, once());
  expect(ms).toBeLessThanOrEqual(MAX_MS);
}

/** Text with a few places changed, taken away, doubled or filled with what decoders trip over. */
function mutated(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...[
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '0',
      '-1',
      '1e999',
      '9007199254740993',
      'null',
    ],
    ...[
      'true',
      '\u0000',
      '\ud800',
      '\u202e',
      '__proto__',
      '"a":',
      '[[[[',
      '\n',
      ' ',
      '1.5',
      '\\u0000',
    ],
  );
  const change = fc.record({ at: fc.nat(), take: fc.nat(6), put: piece, twice: fc.boolean() });
  return fc
    .tuple(sound, fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([text, changes]) => {
      let result = text;
      for (const { at, take, put, twice } of changes) {
        const place = at % (result.length + 1);
        const end = result.slice(place + take);
        result =
          result.slice(0, place) + put + (twice ? result.slice(place, place + 50) : '') + end;
      }
      return result;
    });
}
function mutatedBytes(sound: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() });
  return fc
    .tuple(fc.constantFrom(...sound), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([bytes, changes]) => {
      let copy = Uint8Array.from(bytes);
      for (const { at, byte, cut } of changes) {
        if (cut && copy.length > 1) copy = copy.subarray(0, 1 + (at % copy.length));
        copy[at % copy.length] = byte;
      }
      return copy;
    });
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/receipts.json', import.meta.url), 'utf8'),
) as unknown;
/** The texts of the receipts in the vectors, wherever they stand. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('{"attemptId"') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
const receipts = textsIn(vectors);

const SPECS = [
  {
    kind: 'batch',
    runtime: { noop: {} },
    verify: 'none',
    limits: { maxCost: '1', maxDuration: '60s' },
  },
  {
    kind: 'batch',
    runtime: { noop: { sleepMs: 5 } },
    resources: { cpuMilli: 100, memory: '1GB', gpuModels: ['a'] },
    verify: { replicate: 3 },
    labels: { team: 'vision' },
  },
].map((spec) => JSON.stringify(spec));
const PAYLOADS = ['{"runtime":"noop","noop":{"sleepMs":5}}'];
const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const LOGIN = JSON.stringify({
  publicKey: digits.slice(0, 44),
  nonce: 'n'.repeat(48),
  signature: digits + digits.slice(0, 30),
});
const npy = [
  encodeNpy(new Float32Array([1, 2, 3, 4]), [2, 2]),
  encodeNpy(new Float32Array(0), [0, 3]),
];
const weights = {
  name: 'dense/kernel',
  dtype: 'float32' as const,
  shape: [2, 2],
  bytes: new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
};
const checkpoints = [
  encodeCheckpoint({
    step: 3,
    cursor: { epoch: 1, row: 2 },
    metrics: { loss: '0.5' },
    weights: [weights],
    optimizer: { name: 'adam', state: [{ ...weights, name: 'm' }] },
  }),
];

/** JSON of strangers into a schema, as the API and the receipts stage do it. */
const through = (schema: { safeParse(value: unknown): unknown }) => (text: string) => {
  const parsed = parseJson(text, LIMIT);
  return parsed.ok ? schema.safeParse(parsed.value) : parsed;
};

/** The scanner beside JSON.parse: it takes nothing that JSON.parse does not, nor reads it otherwise, and refuses more for three reasons. */
function scan(text: string): void {
  const scanned = parseJson(text, LIMIT);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    expect(scanned.ok).toBe(false);
    return;
  }
  if (scanned.ok) expect(scanned.value).toEqual(value);
  else expect(scanned.code).toMatch(/^JSON_(TOO_DEEP|DUPLICATE_KEY|FORBIDDEN_KEY)$/);
}

/** Base58 beside long division. */
function base58(text: string): void {
  const bytes = decodeBase58(text);
  const isSpelled = [...text].every((sign) => digits.includes(sign));
  if (!isSpelled) {
    expect(bytes).toBeNull();
    return;
  }
  if (bytes === null) return; // longer than anything that is spelled in it here
  const value = [...text].reduce((sum, sign) => sum * 58n + BigInt(digits.indexOf(sign)), 0n);
  expect(bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)).toBe(value);
  expect(encodeBase58(bytes)).toBe(text);
}

/** NPY beside a reading of its own. */
function readNpy(bytes: Uint8Array): void {
  const decoded = decodeNpy(bytes);
  if (!decoded.ok) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(0, long));
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '';
  expect(decoded.value.shape).toEqual(
    shape
      .split(',')
      .filter((part) => part.trim() !== '')
      .map(Number),
  );
}

/** The root as RFC 6962 defines it, and paths from it. */
const tree = (leaves: readonly Uint8Array[]): Uint8Array => {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return only;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(
    Buffer.concat([Buffer.of(1), tree(leaves.slice(0, half)), tree(leaves.slice(half))]),
  );
};
const pathOf = (leaves: readonly Uint8Array[], index: number): Uint8Array[] => {
  if (leaves.length < 2) return [];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return index < half
    ? [...pathOf(leaves.slice(0, half), index), tree(leaves.slice(half))]
    : [...pathOf(leaves.slice(half), index - half), tree(leaves.slice(0, half))];
};
const leaves = Array.from({ length: 11 }, (_, i) => sha256(Buffer.of(i)));
const proofCase = fc.record({
  size: fc.integer({ min: 1, max: 11 }),
  index: fc.nat(12),
  of: fc.nat(10),
  spoil: fc.option(fc.nat(5)),
});
interface ProofCase {
  readonly size: number;
  readonly index: number;
  readonly of: number;
  readonly spoil: number | null;
}
/** A proof beside the only right one: any other path, place or leaf is refused. */
function prove({ size, index, of, spoil }: ProofCase): void {
  const some = leaves.slice(0, size);
  const right = pathOf(some, of % size);
  const path =
    spoil === null
      ? right
      : [...right.slice(0, spoil), sha256(Buffer.of(99)), ...right.slice(spoil + 1)];
  const leaf = leaves[of % size] ?? new Uint8Array();
  const isRight = spoil === null && index === of % size;
  expect(verifyInclusion({ index, size, leaf, path, root: tree(some) }, sha256)).toBe(isRight);
  expect(merkleRoot(some, sha256)).toEqual(tree(some));
}

interface Target {
  readonly name: string;
  readonly inputs: fc.Arbitrary<unknown>;
  readonly decode: (input: never) => unknown;
  /** Its part of the cases. */
  readonly weight: number;
}
const target = <T>(
  name: string,
  weight: number,
  inputs: fc.Arbitrary<T>,
  decode: (input: T) => unknown,
): Target => ({ name, weight, inputs, decode });

const upFrames = fc.sample(anyFromWorker, 300).map(encode);
const downFrames = fc.sample(anyFromOrchestrator, 300).map(encode);
const of = (texts: readonly string[]) => mutated(fc.constantFrom(...texts));

const TARGETS: readonly Target[] = [
  target('frames of workers', 4, of(upFrames), decodeFromWorker),
  target('frames of orchestrators', 2, of(downFrames), decodeFromOrchestrator),
  target('receipts', 3, of(receipts), through(Receipt)),
  target('job specs', 3, of(SPECS), through(JobSpec)),
  target('task payloads', 1, of(PAYLOADS), through(TaskPayload)),
  target('logins', 1, of([LOGIN]), through(LoginRequest)),
  target('JSON, beside JSON.parse', 4, of([...receipts, ...SPECS, ...upFrames]), scan),
  target('base58, beside long division', 1, of([digits, LOGIN.slice(14, 58)]), base58),
  target('amounts', 1, of(['1', '0.000001', '9223372036854.775807']), parseAmount),
  target('NPY, beside a reading of its own', 2, mutatedBytes(npy), readNpy),
  target('CSV', 1, of(['a,b\n1,2\n3,4\n', 'a,b\r\n"1",""""\r\n']).map(bytesOf), (bytes) =>
    decodeCsv(bytes, ['a', 'b']),
  ),
  target('checkpoints', 2, mutatedBytes(checkpoints), decodeCheckpoint),
  target('proofs of inclusion, beside their definition', 1, proofCase, prove),
  target(
    'proofs of consistency',
    1,
    fc.tuple(fc.nat(12), fc.nat(12), fc.array(fc.constantFrom(...leaves), { maxLength: 6 })),
    ([from, to, path]) => {
      const [fromRoot, toRoot] = [tree(leaves.slice(0, 3)), tree(leaves.slice(0, 9))];
      return verifyConsistency({ from, to, fromRoot, toRoot, path }, sha256);
    },
  ),
];
const WHOLE = TARGETS.reduce((sum, { weight }) => sum + weight, 0);

test.for(TARGETS)(
  '$name: no input throws or takes long (threat 13)',
  { timeout: DEADLINE_MS },
  async ({ inputs, decode, weight }, { annotate }) => {
    const numRuns = Math.ceil((CASES * weight) / WHOLE);
    fc.assert(
      fc.property(inputs, (input) => attempt(decode, input)),
      { numRuns, ...SEEDED },
    );
    await annotate(`${numRuns} inputs of decoders (200,000 asked)`, 'T8');
  },
);

const full = MAX_FRAME_BYTES - 100;
const HEAVY: readonly (readonly [string, string])[] = [
  ['arrays in arrays', '['.repeat(full)],
  ['objects in objects', '{"a":'.repeat(full / 5)],
  ['very many members', `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join()}}`],
  ['very many items', `[${'0,'.repeat(full / 2 - 2)}0]`],
  ['one long text', `"${'x'.repeat(full)}"`],
  ['a text of escapes', `"${'\\u0041'.repeat(full / 6)}"`],
  ['a text of backslashes', `"${'\\\\'.repeat(full / 2)}"`],
  ['a text that does not end', `"${'\\"'.repeat(full / 2)}`],
  ['one long number', '9'.repeat(full)],
  ['an exponent of nines', `1e${'9'.repeat(full)}`],
  ['blanks', ' '.repeat(full)],
  ['one key again and again', `{${'"a":0,'.repeat(full / 6)}"a":0}`],
  [
    'keys that look alike',
    `{${Array.from({ length: 10_000 }, (_, i) => `"\\u0061${i}":0`).join()}}`,
  ],
  ['a member too many that is long', `{"type":"login","surprise":"${'x'.repeat(full - 40)}"}`],
];
test.each(HEAVY)('a full frame of %s takes no longer (G20)', (_, text) => {
  attempt(decodeFromWorker, text);
  attempt((frame: string) => parseJson(frame, LIMIT), text);
  scan(text);
});

test.each([
  ['blanks', ' '.repeat(60_000)],
  ['a dict of blanks', `{${' '.repeat(60_000)}`],
  ['commas', `{${','.repeat(60_000)}`],
  ['braces', '}'.repeat(60_000)],
  ['a long tuple', `{'shape': (${'1, '.repeat(20_000)})}`],
])('a header of NPY that is %s takes no longer', (_, header) => {
  const head = Uint8Array.of(
    0x93,
    ...bytesOf('NUMPY'),
    1,
    0,
    header.length & 0xff,
    header.length >> 8,
  );
  attempt(decodeNpy, Uint8Array.from([...head, ...bytesOf(header)]));
});

test('a decoder that throws or takes long is found', () => {
  const throwing = (text: string): void => {
    if (text.includes('\u202e')) throw new Error('planted');
  };
  const slow = (text: string): void => {
    const since = process.cpuUsage();
    const longMicros = text.includes('null') ? (MAX_MS + 5) * 1_000 : 0;
    while (process.cpuUsage(since).user < longMicros);
  };
  for (const planted of [throwing, slow])
    expect(() =>
      fc.assert(
        fc.property(of(SPECS), (input) => attempt(planted, input)),
        { numRuns: 5_000, endOnFailure: true },
      ),
    ).toThrow();
});
