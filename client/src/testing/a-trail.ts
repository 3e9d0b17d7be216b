import {
  bytesToHex,
  CHAIN_START,
  chainHash,
  checkpointBytes,
  encodeBase58,
  leafHash,
  trailDigest,
  TreeHasher,
} from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import type { Checkpoint, TrailEvent } from '../sdk/types.js';

/** A trail of these bodies, and the checkpoint that its operator signed over all of it. */
export function aTrail(
  bodies: readonly string[],
  operator: Signer,
): { events: TrailEvent[]; checkpoint: Checkpoint } {
  const tree = new TreeHasher(nodeSha256);
  let chain = CHAIN_START;
  const events = bodies.map((body, place) => {
    const atMs = Date.parse('2030-01-01T00:00:00Z') + place;
    const event = { kind: 'job.accepted', subject: `job_${place}`, atMs, body };
    const digest = trailDigest(event, nodeSha256);
    const leaf = leafHash(digest, nodeSha256);
    tree.append(leaf);
    chain = chainHash(chain, leaf, nodeSha256);
    return {
      id: String(place),
      place,
      at: new Date(atMs).toISOString(),
      kind: event.kind,
      subject: event.subject,
      body,
      digest: bytesToHex(digest),
      chain: bytesToHex(chain),
    };
  });
  const atMs = Date.parse('2030-01-01T00:01:00Z');
  const head = {
    network: 'localnet',
    size: tree.size,
    root: bytesToHex(tree.root()),
    chain: bytesToHex(chain),
  };
  const signature = encodeBase58(operator.sign(checkpointBytes({ ...head, atMs })));
  const at = new Date(atMs).toISOString();
  return { events, checkpoint: { ...head, at, publicKey: operator.address, signature } };
}
