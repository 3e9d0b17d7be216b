import { bytesToHex, type Sha256, type VerifySignature } from '../crypto.js';
import { leafHash } from '../merkle.js';
import { chainHash, CHAIN_START } from './chain.js';
import { checkpointBytes, type SignedTrailCheckpoint } from './checkpoint.js';
import { isTrailName, trailDigest, type DigestedEvent } from './event.js';
import { areEqual } from './merkle-proof.js';
import { TreeHasher } from './tree-hasher.js';

/** An event as the trail shows it, with what is claimed of it. */
export interface PlacedEvent extends DigestedEvent {
  readonly place: number;
  readonly digest: Uint8Array;
  readonly chain: Uint8Array;
}

/**
 * What is wrong at a place.
 * - `gap`: another place was due: an event is missing, stands twice or out of order.
 * - `malformed`: the event is none.
 * - `digest`: the event is not what its digest says.
 * - `chain`: its chain hash does not continue the one before.
 * - `changed`: it is not what stood there in an earlier copy.
 * - `key`: a checkpoint is of another network or signed by a key that is not the operator's.
 * - `signature`: a checkpoint's signature is not valid.
 * - `root`: the events are not those that a checkpoint vouches for.
 * - `truncated`: the trail ends before a checkpoint or an earlier copy does.
 */
export type TrailFaultReason =
  'gap' | 'malformed' | 'digest' | 'chain' | 'changed' | 'key' | 'signature' | 'root' | 'truncated';

export interface TrailFault {
  /** The first place that is shown to be bad. */
  readonly place: number;
  /** Everything before this place is vouched for by a checkpoint; what was tampered with lies from here to `place`. */
  readonly since: number;
  readonly reason: TrailFaultReason;
  readonly detail: string;
}

/** Whom and what the verifier believes. */
export interface TrailTrust {
  readonly network: string;
  /** The operator's key, and those it used before. */
  readonly publicKeys: readonly Uint8Array[];
  /** Those the operator shows and, above all, older ones that somebody else kept. */
  readonly checkpoints: readonly SignedTrailCheckpoint[];
  /** An earlier copy of the trail, which names the very place that was changed. */
  readonly copy?: { readonly size: number; readonly chainAt: (place: number) => Uint8Array };
}

export interface TrailReport {
  /** Events that were checked. */
  readonly size: number;
  /** Root and chain hash over them, lower-case hex. */
  readonly root: string;
  readonly chain: string;
  /** How many of them checkpoints vouch for. */
  readonly vouched: number;
  readonly fault: TrailFault | null;
}

/**
 * Checks a trail from its first event on, in memory that does not grow with it. Feed all events in order, then finish. It stops
 * at the first fault; more events change nothing.
 */
export class TrailVerifier {
  readonly #tree: TreeHasher;
  readonly #checkpoints: readonly SignedTrailCheckpoint[];
  #chain = CHAIN_START;
  #nextCheckpoint = 0;
  #vouched = 0;
  #fault: TrailFault | null = null;

  constructor(
    private readonly trust: TrailTrust,
    private readonly crypto: { readonly sha256: Sha256; readonly verify: VerifySignature },
  ) {
    this.#tree = new TreeHasher(crypto.sha256);
    this.#checkpoints = [...trust.checkpoints].sort((a, b) => a.size - b.size);
    this.#meetCheckpoints();
  }

  /** Checks one event. Returns the first fault of the trail so far, or null. */
  add(event: PlacedEvent): TrailFault | null {
    if (this.#fault !== null) return this.#fault;
    const place = this.#tree.size;
    const leaf = leafHash(event.digest, this.crypto.sha256);
    const chain = chainHash(this.#chain, leaf, this.crypto.sha256);
    this.#fault = this.#faultOf(event, place, chain);
    if (this.#fault !== null) return this.#fault;
    this.#chain = chain;
    this.#tree.append(leaf);
    this.#meetCheckpoints();
    return this.#fault;
  }

  /** The result, once all events were fed. */
  finish(): TrailReport {
    this.#fault ??= this.#endsTooEarly();
    return {
      size: this.#tree.size,
      root: bytesToHex(this.#tree.root()),
      chain: bytesToHex(this.#chain),
      vouched: this.#vouched,
      fault: this.#fault,
    };
  }

  #faultOf(event: PlacedEvent, place: number, chain: Uint8Array): TrailFault | null {
    if (event.place !== place) {
      return this.#bad(place, 'gap', `place ${event.place} stands where ${place} is due`);
    }
    if (
      !isTrailName(event.kind) ||
      !isTrailName(event.subject) ||
      !Number.isSafeInteger(event.atMs)
    ) {
      return this.#bad(place, 'malformed', 'kind, subject or time is not one of a trail event');
    }
    if (!areEqual(trailDigest(event, this.crypto.sha256), event.digest)) {
      return this.#bad(place, 'digest', 'the event is not what its digest says');
    }
    if (!areEqual(chain, event.chain)) {
      return this.#bad(place, 'chain', 'the chain hash does not continue the one before');
    }
    const { copy } = this.trust;
    if (copy !== undefined && place < copy.size && !areEqual(copy.chainAt(place), chain)) {
      return this.#bad(place, 'changed', 'something else stood here in the earlier copy');
    }
    return null;
  }

  #meetCheckpoints(): void {
    for (;;) {
      const checkpoint = this.#checkpoints[this.#nextCheckpoint];
      if (checkpoint === undefined || checkpoint.size !== this.#tree.size) return;
      this.#nextCheckpoint += 1;
      this.#fault = this.#signatureFault(checkpoint) ?? this.#rootFault(checkpoint);
      if (this.#fault !== null) return;
      this.#vouched = checkpoint.size;
    }
  }

  #signatureFault(checkpoint: SignedTrailCheckpoint): TrailFault | null {
    const { size, network, publicKey, signature } = checkpoint;
    const last = Math.max(0, size - 1);
    if (network !== this.trust.network) {
      return this.#bad(last, 'key', `the checkpoint of size ${size} is of network ${network}`);
    }
    if (!this.trust.publicKeys.some((known) => areEqual(known, publicKey))) {
      return this.#bad(last, 'key', `the checkpoint of size ${size} is signed by an unknown key`);
    }
    if (!this.crypto.verify(publicKey, checkpointBytes(checkpoint), signature)) {
      return this.#bad(last, 'signature', `the checkpoint of size ${size} has no valid signature`);
    }
    return null;
  }

  #rootFault({ size, root, chain }: SignedTrailCheckpoint): TrailFault | null {
    if (
      root === bytesToHex(this.#tree.root()) &&
      (size === 0 || chain === bytesToHex(this.#chain))
    ) {
      return null;
    }
    const detail = `the events are not those of the signed checkpoint of size ${size}`;
    return this.#bad(Math.max(0, size - 1), 'root', detail);
  }

  #endsTooEarly(): TrailFault | null {
    const size = this.#tree.size;
    const beyond = this.#checkpoints[this.#nextCheckpoint];
    if (beyond !== undefined) {
      const detail = `the trail has ${size} events, a checkpoint vouches for ${beyond.size}`;
      return this.#signatureFault(beyond) ?? this.#bad(size, 'truncated', detail);
    }
    const { copy } = this.trust;
    if (copy === undefined || copy.size <= size) return null;
    return this.#bad(
      size,
      'truncated',
      `the trail has ${size} events, the earlier copy ${copy.size}`,
    );
  }

  #bad(place: number, reason: TrailFaultReason, detail: string): TrailFault {
    return { place, since: this.#vouched, reason, detail };
  }
}
