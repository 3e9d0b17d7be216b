import { expect, test } from 'vitest';
import { decodeBase58, encodeBase58 } from './base58.js';
import { hexToBytes, utf8ToBytes } from './crypto.js';

// From draft-msporny-base58.
test.each([
  [utf8ToBytes('Hello World!'), '2NEpo7TZRRrLZSi2U'],
  [
    utf8ToBytes('The quick brown fox jumps over the lazy dog.'),
    'USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z',
  ],
  [hexToBytes('0000287fb4cd'), '11233QC4'],
  [new Uint8Array(32), '1'.repeat(32)],
  [new Uint8Array(), ''],
])('bytes are spelled as Solana spells them: %#', (bytes, text) => {
  expect(encodeBase58(bytes)).toBe(text);
  expect(decodeBase58(text)).toEqual(bytes);
});

test.each(['0', 'O', 'I', 'l', ' 1', '1 ', '1\n', 'é', '+', '1'.repeat(129)])(
  '%j is no base58 of ours',
  (text) => {
    expect(decodeBase58(text)).toBeNull();
  },
);
