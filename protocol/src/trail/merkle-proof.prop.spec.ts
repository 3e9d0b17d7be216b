import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8ToBytes } from '../crypto.js';
import { leafHash, merkleRoot } from '../merkle.js';
import {
  areEqual,
  consistencyProof,
  inclusionProof,
  rootOf,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
  type SubtreeRoot,
} from './merkle-proof.js';
import { TreeHasher, type Subtree } from './tree-hasher.js';

const MAX_SIZE = 80;
const leaves = Array.from({ length: MAX_SIZE }, (_, i) =>
  leafHash(utf8ToBytes(`leaf ${i}`), sha256),
);
const subtreeRoot: SubtreeRoot = (level, index) =>
  merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), sha256);
const rootAt = (size: number) => merkleRoot(leaves.slice(0, size), sha256);

const sizes = fc.integer({ min: 1, max: MAX_SIZE });
const places = sizes.chain((size) =>
  fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }),
);
const growths = sizes.chain((to) =>
  fc.record({ to: fc.constant(to), from: fc.integer({ min: 0, max: to }) }),
);
const otherHash = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Every way to alter a list of hashes once: a bit, a hash dropped, doubled, moved or added. */
const alteration = fc.oneof(
  fc.record({ how: fc.constant('bit' as const), at: fc.nat(), bit: fc.nat(255) }),
  fc.record({
    how: fc.constantFrom('drop' as const, 'double' as const, 'swap' as const),
    at: fc.nat(),
  }),
  fc.record({ how: fc.constant('add' as const), at: fc.nat(), hash: otherHash }),
);
type Alteration = typeof alteration extends fc.Arbitrary<infer T> ? T : never;

function altered(path: readonly Uint8Array[], change: Alteration): Uint8Array[] {
  const copy = path.map((hash) => Uint8Array.from(hash));
  const at = change.at % (copy.length + (change.how === 'add' ? 1 : 0) || 1);
  const hash = copy[at];
  if (change.how === 'add') copy.splice(at, 0, change.hash);
  else if (hash === undefined) return copy;
  else if (change.how === 'bit') {
    hash[change.bit >> 3] = (hash[change.bit >> 3] ?? 0) ^ (1 << (change.bit & 7));
  } else if (change.how === 'drop') copy.splice(at, 1);
  else if (change.how === 'double') copy.splice(at, 0, hash);
  else copy.reverse();
  return copy;
}

const isSame = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((hash, i) => areEqual(hash, b[i] ?? new Uint8Array()));

test('every inclusion proof verifies, and no altered one does', () => {
  fc.assert(
    fc.property(places, alteration, ({ size, index }, change) => {
      const path = inclusionProof(index, size, subtreeRoot, sha256);
      const claim = {
        leaf: leaves[index] ?? new Uint8Array(),
        index,
        size,
        root: rootAt(size),
        path,
      };
      expect(verifyInclusion(claim, sha256)).toBe(true);
      const forged = altered(path, change);
      if (!isSame(forged, path))
        expect(verifyInclusion({ ...claim, path: forged }, sha256)).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('an inclusion proof holds for no other leaf, place or root', () => {
  fc.assert(
    fc.property(places, fc.nat(MAX_SIZE - 1), ({ size, index }, other) => {
      fc.pre(other !== index);
      const path = inclusionProof(index, size, subtreeRoot, sha256);
      const leaf = leaves[index] ?? new Uint8Array();
      const otherLeaf = leaves[other] ?? new Uint8Array();
      const claim = { leaf, index, size, root: rootAt(size), path };
      expect(verifyInclusion({ ...claim, leaf: otherLeaf }, sha256)).toBe(false);
      expect(verifyInclusion({ ...claim, index: other }, sha256)).toBe(false);
      expect(verifyInclusion({ ...claim, root: otherLeaf }, sha256)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('every consistency proof verifies, and no altered one does', () => {
  fc.assert(
    fc.property(growths, alteration, ({ from, to }, change) => {
      const path = consistencyProof(from, to, subtreeRoot, sha256);
      const claim = { from, to, fromRoot: rootAt(from), toRoot: rootAt(to), path };
      expect(verifyConsistency(claim, sha256)).toBe(true);
      const forged = altered(path, change);
      if (!isSame(forged, path))
        expect(verifyConsistency({ ...claim, path: forged }, sha256)).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('a consistency proof holds for no other root of either size', () => {
  fc.assert(
    fc.property(growths, otherHash, ({ from, to }, root) => {
      const path = consistencyProof(from, to, subtreeRoot, sha256);
      const claim = { from, to, fromRoot: rootAt(from), toRoot: rootAt(to), path };
      expect(verifyConsistency({ ...claim, fromRoot: root }, sha256)).toBe(false);
      // An empty tree says nothing, so everything continues it.
      expect(verifyConsistency({ ...claim, toRoot: root }, sha256)).toBe(from === 0 && to > 0);
    }),
    { numRuns: 200 },
  );
});

test('a verifier refuses whatever it is given without throwing', () => {
  const anything = fc.oneof(fc.integer(), fc.double(), fc.constant(Number.NaN));
  const bytes = fc.uint8Array({ maxLength: 33 });
  fc.assert(
    fc.property(
      anything,
      anything,
      bytes,
      bytes,
      fc.array(otherHash, { maxLength: 70 }),
      (a, b, one, two, path) => {
        expect(verifyInclusion({ leaf: one, index: a, size: b, root: two, path }, sha256)).toBe(
          false,
        );
        const claim = { from: a, to: b, fromRoot: one, toRoot: two, path };
        expect(verifyConsistency(claim, sha256)).toBe(isNothingClaimed(claim));
      },
    ),
  );
});

/** The two claims that are true of any roots: nothing grew into nothing new, or anything grew out of nothing. */
function isNothingClaimed(claim: Parameters<typeof verifyConsistency>[0]): boolean {
  const { from, to, fromRoot, toRoot, path } = claim;
  if (path.length > 0 || fromRoot.length !== 32 || toRoot.length !== 32) return false;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0) return false;
  return from === to
    ? areEqual(fromRoot, toRoot)
    : from === 0 && to > 0 && areEqual(fromRoot, rootAt(0));
}

test('a tree grown leaf by leaf has the same root as one built at once, and goes on from its frontier', () => {
  fc.assert(
    fc.property(growths, ({ from, to }) => {
      const first = new TreeHasher(sha256);
      leaves.slice(0, from).forEach((leaf) => first.append(leaf));
      const second = new TreeHasher(sha256, first.size, first.frontier());
      leaves.slice(from, to).forEach((leaf) => second.append(leaf));
      expect(second.size).toBe(to);
      expect(second.root()).toEqual(rootAt(to));
      expect(first.root()).toEqual(rootAt(from));
    }),
    { numRuns: 100 },
  );
});

test('a growing tree tells of each perfect subtree once', () => {
  const told: Subtree[] = [];
  const tree = new TreeHasher(sha256);
  leaves.slice(0, 21).forEach((leaf) => tree.append(leaf, (subtree) => told.push(subtree)));
  const expected = [1, 2, 3, 4].flatMap((level) =>
    Array.from({ length: Math.floor(21 / 2 ** level) }, (_, index) => ({
      level,
      index,
      hash: subtreeRoot(level, index),
    })),
  );
  const byPlace = (a: Subtree, b: Subtree) => a.level - b.level || a.index - b.index;
  expect([...told].sort(byPlace)).toEqual(expected);
});

test('a frontier that does not fit its size is refused', () => {
  expect(() => new TreeHasher(sha256, 3, leaves.slice(0, 1))).toThrow('no frontier');
});

test('what a computation will read is known before anything is read', () => {
  fc.assert(
    fc.property(growths, ({ from, to }) => {
      const compute = (root: SubtreeRoot) => [
        rootOf(to, root, sha256),
        consistencyProof(from, to, root, sha256),
      ];
      const announced = new Set(subtreesOf(compute).map(({ level, index }) => `${level}/${index}`));
      const strict: SubtreeRoot = (level, index) => {
        expect(announced.has(`${level}/${index}`)).toBe(true);
        return subtreeRoot(level, index);
      };
      expect(compute(strict)[0]).toEqual(rootAt(to));
    }),
    { numRuns: 100 },
  );
});

test('places and sizes that do not fit together are refused', () => {
  expect(() => inclusionProof(3, 3, subtreeRoot, sha256)).toThrow(RangeError);
  expect(() => inclusionProof(-1, 3, subtreeRoot, sha256)).toThrow(RangeError);
  expect(() => consistencyProof(4, 3, subtreeRoot, sha256)).toThrow(RangeError);
  expect(() => rootOf(0.5, subtreeRoot, sha256)).toThrow(RangeError);
});
