import {
  decodeBase58,
  hexToBytes,
  TrailEventView,
  TrailVerifier,
  type CheckpointView,
  type PlacedEvent,
  type SignedTrailCheckpoint,
  type TrailReport,
  type TrailTrust,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import type { TrailSource } from './trail-source.js';
import { isCosigned } from './witness.js';

export interface VerifyTrailOptions {
  readonly source: TrailSource;
  /** The network it has to be of. Default: that of the checkpoints kept, else of the one shown. */
  readonly network?: string | undefined;
  /** The operator's keys in base58. Default: those of the checkpoints kept, else that of the one shown. */
  readonly publicKeys?: readonly string[] | undefined;
  /** Keys of witnesses in base58: each must have signed a checkpoint that the trail agrees with. */
  readonly witnesses?: readonly string[] | undefined;
  /** Checkpoints from earlier visits: only what is kept elsewhere can show that the operator changed its mind. */
  readonly kept?: readonly CheckpointView[] | undefined;
  /** An earlier copy of the trail, which names the very event that was changed. */
  readonly copy?: TrailSource | undefined;
  /** Told of the number of events checked so far, every thousand. */
  readonly onProgress?: ((events: number) => void) | undefined;
}

export interface TrailVerification extends TrailReport {
  /** The newest checkpoint shown; worth keeping when there is no fault. */
  readonly checkpoint: CheckpointView | null;
  /** Where the operator's key is known from; `shown` proves only that the trail agrees with itself. */
  readonly keyFrom: 'given' | 'kept' | 'shown';
  /** What each witness that was asked for says; the trail agrees with it when there is no fault. */
  readonly witnesses: readonly WitnessFinding[];
}

/** A witness's newest word: how many events it vouches for and when it saw them. */
interface WitnessFinding {
  readonly publicKey: string;
  readonly result: 'ok' | 'missing' | 'bad';
  readonly size: number | null;
  readonly at: string | null;
}

const PROGRESS_EVERY = 1_000;

/** Recomputes a whole trail and compares it with every checkpoint known. It needs no network beyond the source. */
export async function verifyTrail(options: VerifyTrailOptions): Promise<TrailVerification> {
  // Before the events: then the trail that is read is at least as long as the checkpoint says.
  const checkpoint = await options.source.checkpoint();
  const witnessed = await Promise.all(
    (options.witnesses ?? []).map((key) => findingOf(options.source, key)),
  );
  const kept = [...(options.kept ?? []), ...witnessed.flatMap(({ vouched }) => vouched)];
  const { trust, keyFrom } = await trustOf({ ...options, kept }, checkpoint);
  const verifier = new TrailVerifier(trust, { sha256: nodeSha256, verify: nodeVerifier() });
  let count = 0;
  for await (const event of options.source.events()) {
    if (verifier.add(placedEvent(event, count)) !== null) break;
    count += 1;
    if (count % PROGRESS_EVERY === 0) options.onProgress?.(count);
  }
  const witnesses = witnessed.map(({ finding }) => finding);
  return { ...verifier.finish(), checkpoint, keyFrom, witnesses };
}

/** What a witness says, and the checkpoint it vouches for: that counts as one that was kept elsewhere. */
async function findingOf(
  source: TrailSource,
  publicKey: string,
): Promise<{ readonly finding: WitnessFinding; readonly vouched: readonly CheckpointView[] }> {
  const seen = await source.witnessed(publicKey);
  const signed = seen?.witnesses.find((one) => one.publicKey === publicKey);
  if (seen === null || signed === undefined) {
    return { finding: { publicKey, result: 'missing', size: null, at: null }, vouched: [] };
  }
  const { witnesses: _, ...checkpoint } = seen;
  const result = isCosigned(checkpoint, signed) ? 'ok' : 'bad';
  return {
    finding: { publicKey, result, size: seen.size, at: signed.at },
    vouched: result === 'ok' ? [checkpoint] : [],
  };
}

async function trustOf(
  { network, publicKeys, kept = [], copy }: VerifyTrailOptions,
  shown: CheckpointView | null,
): Promise<{ trust: TrailTrust; keyFrom: TrailVerification['keyFrom'] }> {
  const known = kept.length > 0 ? kept : shown === null ? [] : [shown];
  const keys = publicKeys ?? known.map(({ publicKey }) => publicKey);
  const trust = {
    network: network ?? known[0]?.network ?? '',
    publicKeys: keys.map(bytesOf),
    checkpoints: [...kept, ...(shown === null ? [] : [shown])].map(signedCheckpoint),
    ...(copy === undefined ? {} : { copy: await chainOf(copy) }),
  };
  return {
    trust,
    keyFrom: publicKeys !== undefined ? 'given' : kept.length > 0 ? 'kept' : 'shown',
  };
}

/** What stands in a copy, as 32 bytes an event. */
async function chainOf(copy: TrailSource): Promise<NonNullable<TrailTrust['copy']>> {
  const chain: Uint8Array[] = [];
  for await (const event of copy.events()) chain.push(placedEvent(event, chain.length).chain);
  return { size: chain.length, chainAt: (place) => chain[place] ?? new Uint8Array() };
}

/** What a stranger calls an event; what is none gets a time that no event has, so that the verifier names its place. */
export function placedEvent(shown: TrailEventView, place: number): PlacedEvent {
  const event = TrailEventView.safeParse(shown);
  if (!event.success || event.data.place === null || event.data.chain === null) {
    return {
      place,
      kind: '',
      subject: '',
      atMs: Number.NaN,
      body: '',
      digest: new Uint8Array(),
      chain: new Uint8Array(),
    };
  }
  const { at, digest, chain, kind, subject, body } = event.data;
  return {
    place: event.data.place,
    kind,
    subject,
    body,
    atMs: Date.parse(at),
    digest: hexToBytes(digest),
    chain: hexToBytes(chain),
  };
}

function signedCheckpoint({
  network,
  size,
  root,
  chain,
  at,
  publicKey,
  signature,
}: CheckpointView): SignedTrailCheckpoint {
  return {
    network,
    size,
    root,
    chain,
    atMs: Date.parse(at),
    publicKey: bytesOf(publicKey),
    signature: bytesOf(signature),
  };
}

/** Bytes of base58, or none when it is not base58: no key and no signature is empty. */
function bytesOf(text: string): Uint8Array {
  return decodeBase58(text) ?? new Uint8Array();
}
