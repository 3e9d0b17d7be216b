import { readFileSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { nodeVerifier } from '../../node/node-crypto.js';
import { bytesToHex, hexToBytes } from '../crypto.js';
import { leafHash, merkleRoot } from '../merkle.js';
import { chainHash, CHAIN_START } from './chain.js';
import { checkpointBytes } from './checkpoint.js';
import { trailDigest } from './event.js';
import { consistencyProof, inclusionProof, type SubtreeRoot } from './merkle-proof.js';
import { TreeHasher } from './tree-hasher.js';

interface Vectors {
  readonly tree: {
    readonly entries: readonly string[];
    readonly roots: readonly string[];
    readonly inclusion: readonly { index: number; size: number; path: string[] }[];
    readonly consistency: readonly { from: number; to: number; path: string[] }[];
  };
  readonly events: readonly {
    kind: string;
    subject: string;
    atMs: number;
    body: string;
    digest: string;
    leaf: string;
    chain: string;
  }[];
  readonly checkpoint: {
    network: string;
    size: number;
    root: string;
    chain: string;
    atMs: number;
    signedBytes: string;
    publicKey: string;
    signature: string;
  };
}

// The file is ours and the tests below would fail on any other shape.
const { tree, events, checkpoint } = JSON.parse(
  readFileSync(new URL('../../vectors/trail.json', import.meta.url), 'utf8'),
) as Vectors;

const leaves = tree.entries.map((entry) => leafHash(hexToBytes(entry), sha256));
const subtreeRoot: SubtreeRoot = (level, index) =>
  merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), sha256);
const hex = (hashes: readonly Uint8Array[]) => hashes.map(bytesToHex);

describe('the RFC 6962 tree of the Certificate Transparency tests', () => {
  test('has the known roots, built at once and leaf by leaf', () => {
    const growing = new TreeHasher(sha256);
    tree.roots.forEach((root, size) => {
      expect(bytesToHex(merkleRoot(leaves.slice(0, size), sha256))).toBe(root);
      expect(bytesToHex(growing.root())).toBe(root);
      const leaf = leaves[size];
      if (leaf !== undefined) growing.append(leaf);
    });
    expect(growing.size).toBe(8);
  });

  test.each(tree.inclusion)(
    'has the audit path of leaf $index in $size',
    ({ index, size, path }) => {
      expect(hex(inclusionProof(index, size, subtreeRoot, sha256))).toEqual(path);
    },
  );

  test.each(tree.consistency)('has the proof from size $from to $to', ({ from, to, path }) => {
    expect(hex(consistencyProof(from, to, subtreeRoot, sha256))).toEqual(path);
  });
});

test('events have the digests, leaf hashes and chain hashes of the vectors', () => {
  let chain = CHAIN_START;
  for (const event of events) {
    const digest = trailDigest(event, sha256);
    const leaf = leafHash(digest, sha256);
    chain = chainHash(chain, leaf, sha256);
    expect(hex([digest, leaf, chain])).toEqual([event.digest, event.leaf, event.chain]);
  }
  expect(events).toHaveLength(4);
});

test('the checkpoint is over these events and its signature covers the bytes of the vectors', () => {
  const digests = events.map(({ digest }) => leafHash(hexToBytes(digest), sha256));
  expect(bytesToHex(merkleRoot(digests, sha256))).toBe(checkpoint.root);
  expect(events.at(-1)?.chain).toBe(checkpoint.chain);
  const bytes = checkpointBytes(checkpoint);
  expect(bytesToHex(bytes)).toBe(checkpoint.signedBytes);
  const { publicKey, signature } = checkpoint;
  expect(nodeVerifier()(hexToBytes(publicKey), bytes, hexToBytes(signature))).toBe(true);
});
