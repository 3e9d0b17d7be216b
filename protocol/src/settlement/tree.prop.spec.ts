import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SettlementTree, settlementRootFrom, workerLeafBytes } from './index.js';

const network = new Uint8Array(32).fill(9);
const leafOf = (index: number): Uint8Array =>
  sha256(
    workerLeafBytes(network, {
      index,
      payee: new Uint8Array(32).fill(index),
      lifetimeEarned: BigInt(index) * 7n,
      lifetimeSlashed: 0n,
    }),
  );

test('every leaf is proven at its own index and nowhere else (G9)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (count, one, other) => {
      const tree = new SettlementTree(
        Array.from({ length: count }, (_, at) => leafOf(at)),
        sha256,
      );
      const index = one % count;
      const elsewhere = other % (2 * 2 ** tree.depth);
      const rootAt = (place: number) =>
        settlementRootFrom(leafOf(index), place, tree.proof(index), sha256);
      expect(rootAt(index)).toEqual(tree.root);
      if (elsewhere !== index) expect(rootAt(elsewhere)).not.toEqual(tree.root);
    }),
    { numRuns: 60 },
  );
});
