import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { nodeVerifier } from '../../node/node-crypto.js';
import { bytesToHex, hexToBytes } from '../crypto.js';
import { epochObjectionBytes, rootStatementBytes, type RootStatement } from './index.js';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));
const { attestation, objection, publicKey, seed } = read('cosignatures');

function statement(): RootStatement {
  const { rootStatement: root } = read('settlement');
  const { spent, earned, slashed, refunded, fees, feesGiven, dust } = root.totals;
  return {
    network: hexToBytes(root.network),
    program: hexToBytes(root.program),
    epoch: BigInt(root.epoch),
    sealedSlot: BigInt(root.sealedSlot),
    workerRoot: hexToBytes(root.workerRoot),
    workerDepth: root.workerDepth,
    submitterRoot: hexToBytes(root.submitterRoot),
    submitterDepth: root.submitterDepth,
    totals: {
      spent: BigInt(spent),
      earned: BigInt(earned),
      slashed: BigInt(slashed),
      refunded: BigInt(refunded),
      fees: BigInt(fees),
      feesGiven: BigInt(feesGiven),
      dust: BigInt(dust),
    },
    trailRoot: hexToBytes(root.trailRoot),
    trailSize: BigInt(root.trailSize),
    registryRoot: hexToBytes(root.registryRoot),
  };
}

test('attestations and objections have the bytes of the vectors, and OpenSSL’s signatures hold over them (T9)', () => {
  const said = [
    [attestation, rootStatementBytes(statement())],
    [objection, epochObjectionBytes(statement(), objection.reason)],
  ] as const;
  const key = hexToBytes(publicKey);
  for (const [vector, bytes] of said) {
    expect(bytesToHex(bytes)).toBe(vector.signedBytes);
    expect(nodeVerifier()(key, bytes, hexToBytes(vector.signature))).toBe(true);
    expect(bytesToHex(ed25519.sign(bytes, hexToBytes(seed)))).toBe(vector.signature);
  }
  // One is never good for the other.
  expect(nodeVerifier()(key, said[0][1], hexToBytes(objection.signature))).toBe(false);
});
