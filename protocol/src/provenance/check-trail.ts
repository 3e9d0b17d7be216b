import { decodeBase58 } from '../base58.js';
import { bytesToHex, hexToBytes } from '../crypto.js';
import { leafHash } from '../merkle.js';
import { checkpointBytes } from '../trail/checkpoint.js';
import { isTrailName, trailDigest } from '../trail/event.js';
import { verifyInclusion } from '../trail/merkle-proof.js';
import { fault, firstFault, type Case, type ProvenanceFault } from './case.js';

/** Whom the verifier believes; without keys it believes the one that the bundle shows. */
export interface ProvenanceTrust {
  readonly network?: string | undefined;
  /** The job that was asked for. */
  readonly job?: string | undefined;
  /** The operator's keys in base58. */
  readonly publicKeys?: readonly string[] | undefined;
}

/** The checkpoint is the operator's, of the network that is meant. */
export function checkCheckpoint(
  { bundle, crypto }: Case,
  trust: ProvenanceTrust,
): ProvenanceFault | null {
  const { checkpoint } = bundle.trail;
  const { network, size, root, chain, at, publicKey, signature } = checkpoint;
  const wanted = trust.network ?? bundle.network;
  if (bundle.network !== wanted || network !== wanted) {
    return fault('NETWORK_MISMATCH', `it is of ${network}, not of ${wanted}`);
  }
  if (trust.publicKeys !== undefined && !trust.publicKeys.includes(publicKey)) {
    return fault('CHECKPOINT_KEY', `the checkpoint is signed by ${publicKey}`);
  }
  const bytes = checkpointBytes({ network, size, root, chain, atMs: Date.parse(at) });
  const [key, signed] = [decodeBase58(publicKey), decodeBase58(signature)];
  return key !== null && signed !== null && crypto.verify(key, bytes, signed)
    ? null
    : fault('CHECKPOINT_SIGNATURE', `the checkpoint of size ${size} has no valid signature`);
}

/** Every event is what it was when it was digested, stands under the checkpoint, and is about this job. */
export function checkEvents({ bundle, crypto }: Case): ProvenanceFault | null {
  const { checkpoint, events } = bundle.trail;
  const root = hexToBytes(checkpoint.root);
  const places = new Set<number>();
  const subjects = new Set<string>([
    bundle.job.id,
    ...bundle.tasks.map(({ id }) => id),
    ...bundle.attempts.map(({ id }) => id),
    ...bundle.workers.map(({ id }) => id),
  ]);
  return firstFault(events, ({ place, kind, subject, at, body, digest, path }) => {
    const where = `${kind} of ${subject} at place ${place}`;
    const event = { kind, subject, atMs: Date.parse(at), body };
    const isNamed = isTrailName(kind) && isTrailName(subject);
    if (!isNamed || bytesToHex(trailDigest(event, crypto.sha256)) !== digest) {
      return fault('EVENT_DIGEST', `${where} is not what its digest says`);
    }
    const leaf = leafHash(hexToBytes(digest), crypto.sha256);
    const claim = { leaf, index: place, size: checkpoint.size, root, path: path.map(hexToBytes) };
    if (!verifyInclusion(claim, crypto.sha256)) {
      return fault('EVENT_NOT_INCLUDED', `${where} is not under the checkpoint`);
    }
    if (places.has(place)) return fault('EVENT_TWICE', `${where} is shown twice`);
    places.add(place);
    return subjects.has(subject) ? null : fault('EVENT_FOREIGN', `${where} is of something else`);
  });
}
