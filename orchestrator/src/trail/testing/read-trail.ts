import {
  decodeBase58,
  hexToBytes,
  TrailVerifier,
  type CheckpointView,
  type SignedTrailCheckpoint,
  type TrailEventView,
  type TrailReport,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import type { Tx } from '../../platform/db/db.js';
import { Db } from '../../platform/db/db.js';
import { TrailReader } from '../trail.reader.js';

/** Reads through a transaction as if it were the database: what a tampering that is rolled back later looks like. */
export class OpenTransaction extends Db {
  constructor(private readonly tx: Tx) {
    super();
  }

  query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.tx.query<R>(text, values);
  }

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return work(this.tx);
  }
}

/** What an auditor finds who reads the whole trail and trusts this key and these checkpoints. */
export async function audit(
  db: Db,
  trust: {
    readonly network: string;
    readonly publicKey: Uint8Array;
    readonly kept: readonly CheckpointView[];
  },
): Promise<TrailReport> {
  const reader = new TrailReader(db);
  const shown = await reader.checkpoint();
  const verifier = new TrailVerifier(
    {
      network: trust.network,
      publicKeys: [trust.publicKey],
      checkpoints: [...trust.kept, ...(shown === null ? [] : [shown])].map(signed),
    },
    { sha256: nodeSha256, verify: nodeVerifier() },
  );
  for (const event of await allEvents(reader)) {
    const { place, kind, subject, body, digest, chain, at } = event;
    const hashes = { digest: hexToBytes(digest), chain: hexToBytes(chain ?? '') };
    verifier.add({ place: place ?? -1, kind, subject, body, atMs: Date.parse(at), ...hashes });
  }
  return verifier.finish();
}

async function allEvents(reader: TrailReader): Promise<TrailEventView[]> {
  const events: TrailEventView[] = [];
  for (;;) {
    const from = (events.at(-1)?.place ?? -1) + 1;
    const page = await reader.list(from, 100);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

function signed({ at, publicKey, signature, ...rest }: CheckpointView): SignedTrailCheckpoint {
  const bytes = (text: string) => decodeBase58(text) ?? new Uint8Array();
  return {
    ...rest,
    atMs: Date.parse(at),
    publicKey: bytes(publicKey),
    signature: bytes(signature),
  };
}
