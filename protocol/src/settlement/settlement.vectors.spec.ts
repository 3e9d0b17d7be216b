import { readFileSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes } from '../crypto.js';
import {
  emptyLeafHash,
  paidTotalAt,
  releasedTotalBytes,
  rootStatementBytes,
  SettlementTree,
  settlementDepth,
  settlementRootFrom,
  submitterLeafBytes,
  workerLeafBytes,
} from './index.js';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/settlement.json', import.meta.url), 'utf8'),
);
const network = hexToBytes(vectors.network);

describe('the bytes of settlement', () => {
  test.each<any>(vectors.workerLeaves)('worker leaf $index has its bytes and hash', (leaf) => {
    const bytes = workerLeafBytes(network, {
      index: leaf.index,
      payee: hexToBytes(leaf.payee),
      lifetimeEarned: BigInt(leaf.lifetimeEarned),
      lifetimeSlashed: BigInt(leaf.lifetimeSlashed),
    });
    expect(bytesToHex(bytes)).toBe(leaf.bytes);
    expect(bytesToHex(sha256(bytes))).toBe(leaf.hash);
  });

  test.each<any>(vectors.submitterLeaves)('submitter leaf $index has its bytes', (leaf) => {
    const bytes = submitterLeafBytes(network, {
      index: leaf.index,
      submitter: hexToBytes(leaf.submitter),
      lifetimeSpent: BigInt(leaf.lifetimeSpent),
      lifetimeRefunded: BigInt(leaf.lifetimeRefunded),
      held: BigInt(leaf.held),
    });
    expect(bytesToHex(bytes)).toBe(leaf.bytes);
    expect(bytesToHex(sha256(bytes))).toBe(leaf.hash);
  });

  test.each<any>(vectors.trees)('a tree of $count has its depth, root and proofs', (vector) => {
    const leaves: Uint8Array[] = vector.leaves.map(hexToBytes);
    const tree = new SettlementTree(leaves, sha256);
    expect(tree.depth).toBe(vector.depth);
    expect(bytesToHex(tree.root)).toBe(vector.root);
    for (const { start, height, siblings } of vector.proofs) {
      const proof = tree.subtreeProof(start, height);
      expect(proof.map(bytesToHex)).toEqual(siblings);
      const size = 2 ** height;
      const padded = Array.from(
        { length: size },
        (_, at): Uint8Array => leaves[Number(start) + at] ?? emptyLeafHash(sha256),
      );
      const subtree = new SettlementTree(padded, sha256).root;
      expect(settlementRootFrom(subtree, start / size, proof, sha256)).toEqual(tree.root);
    }
  });

  test('the statement of a root and a released total are signed as these bytes', () => {
    const { rootStatement: root, releasedTotal: released } = vectors;
    expect(
      bytesToHex(
        rootStatementBytes({
          network: hexToBytes(root.network),
          program: hexToBytes(root.program),
          epoch: BigInt(root.epoch),
          sealedSlot: BigInt(root.sealedSlot),
          workerRoot: hexToBytes(root.workerRoot),
          workerDepth: root.workerDepth,
          submitterRoot: hexToBytes(root.submitterRoot),
          submitterDepth: root.submitterDepth,
          totals: {
            spent: BigInt(root.totals.spent),
            earned: BigInt(root.totals.earned),
            slashed: BigInt(root.totals.slashed),
            refunded: BigInt(root.totals.refunded),
            fees: BigInt(root.totals.fees),
            feesGiven: BigInt(root.totals.feesGiven),
            dust: BigInt(root.totals.dust),
          },
          trailRoot: hexToBytes(root.trailRoot),
          trailSize: BigInt(root.trailSize),
          registryRoot: hexToBytes(root.registryRoot),
        }),
      ),
    ).toBe(root.signedBytes);
    expect(
      bytesToHex(
        releasedTotalBytes({
          network: hexToBytes(released.network),
          program: hexToBytes(released.program),
          epoch: BigInt(released.epoch),
          index: released.index,
          lifetimeEarned: BigInt(released.lifetimeEarned),
        }),
      ),
    ).toBe(released.signedBytes);
  });

  test('each index has one place in one page', () => {
    for (const { index, page, place } of vectors.paidTotals) {
      expect(paidTotalAt(index)).toEqual({ page, place });
    }
  });

  test('what does not fit its field is refused, and so is a place outside the tree', () => {
    const leaf = { index: 0, payee: network, lifetimeEarned: 0n, lifetimeSlashed: 0n };
    expect(() => workerLeafBytes(network, { ...leaf, lifetimeEarned: 1n << 64n })).toThrow(
      RangeError,
    );
    expect(() => workerLeafBytes(network, { ...leaf, index: -1 })).toThrow(RangeError);
    expect(() => workerLeafBytes(network, { ...leaf, payee: new Uint8Array(31) })).toThrow(
      RangeError,
    );
    expect(() => settlementDepth(2 ** 24 + 1)).toThrow(RangeError);
    const tree = new SettlementTree([network, network, network], sha256);
    expect(() => tree.proof(4)).toThrow(RangeError);
    expect(() => tree.subtreeProof(1, 1)).toThrow(RangeError);
    expect(settlementRootFrom(network, 4, tree.proof(0), sha256)).toBeNull();
  });
});
