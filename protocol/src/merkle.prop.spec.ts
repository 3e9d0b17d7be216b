import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesToHex } from './crypto.js';
import { largestPowerOfTwoBelow, leafHash, merklePaths, merkleRoot, nodeHash } from './merkle.js';
import { inclusionProof } from './trail/merkle-proof.js';

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
const root = (leaves: readonly Uint8Array[]) => bytesToHex(merkleRoot(leaves, sha256));

test('of nothing the root is the hash of nothing, of one leaf it is the leaf', () => {
  expect(root([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  fc.assert(
    fc.property(leaf, (one) => {
      expect(root([one])).toBe(bytesToHex(one));
    }),
  );
});

test('any leaf that changes, leaves or trades places changes the root', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(leaf, { minLength: 2, maxLength: 20, selector: bytesToHex }),
      fc.nat(),
      leaf,
      (leaves, at, other) => {
        const i = at % leaves.length;
        const j = (i + 1) % leaves.length;
        fc.pre(bytesToHex(other) !== bytesToHex(leaves[i] ?? other));
        const swapped = leaves.map(
          (one, k) => (k === i ? leaves[j] : k === j ? leaves[i] : one) ?? one,
        );
        const altered = [
          leaves.with(i, other),
          leaves.toSpliced(i, 1),
          leaves.toSpliced(i, 0, other),
          swapped,
          [...leaves, leaves[leaves.length - 1] ?? other],
        ];
        for (const list of altered) expect(root(list)).not.toBe(root(leaves));
      },
    ),
    { numRuns: 60 },
  );
});

test('a tree is split at the largest power of two below its size', () => {
  fc.assert(
    fc.property(fc.array(leaf, { minLength: 2, maxLength: 40 }), (leaves) => {
      const split = largestPowerOfTwoBelow(leaves.length);
      const left = merkleRoot(leaves.slice(0, split), sha256);
      const right = merkleRoot(leaves.slice(split), sha256);
      expect(root(leaves)).toBe(bytesToHex(nodeHash(left, right, sha256)));
    }),
    { numRuns: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 2 ** 31 }), (n) => {
      const power = largestPowerOfTwoBelow(n);
      expect(Number.isInteger(Math.log2(power))).toBe(true);
      expect(power < n && power * 2 >= n).toBe(true);
    }),
  );
});

test('no entry hashes to what two leaves hash to together', () => {
  fc.assert(
    fc.property(leaf, leaf, (a, b) => {
      const joined = Uint8Array.from([...a, ...b]);
      expect(bytesToHex(leafHash(joined, sha256))).not.toBe(bytesToHex(nodeHash(a, b, sha256)));
    }),
  );
});

test('paths found in one walk are those that prove each leaf alone', () => {
  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 64 }), (leaves) => {
      const walked = merklePaths(leaves, sha256);
      expect(bytesToHex(walked.root)).toBe(root(leaves));
      const subtree = (level: number, index: number) =>
        merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), sha256);
      const alone = leaves.map((_, i) => inclusionProof(i, leaves.length, subtree, sha256));
      expect(walked.paths.map((path) => path.map(bytesToHex))).toEqual(
        alone.map((path) => path.map(bytesToHex)),
      );
    }),
    { numRuns: 40 },
  );
});
