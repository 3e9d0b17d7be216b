import { Injectable } from '@nestjs/common';
import {
  decodeBase58,
  settlementLevels,
  SettlementTree,
  submitterLeafBytes,
  workerLeafBytes,
  type SubmitterLeaf,
  type WorkerLeaf,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { setImmediate } from 'node:timers/promises';
import { Config } from '../config/env.js';
import { Db, type Tx } from '../platform/db/db.js';

/** A tree with what is in it. */
export interface Settled<Leaf> {
  readonly tree: SettlementTree;
  /** In the order of their indexes, without gaps. */
  readonly leaves: readonly Leaf[];
}

export interface EpochTrees {
  readonly workers: Settled<WorkerLeaf>;
  readonly submitters: Settled<SubmitterLeaf>;
}

/** Leaves read at once. */
const PAGE = 5_000;
/** Epochs kept in memory: the one that is claimed against, and the one that waits. */
const MAX_KEPT = 2;

/** Both trees of a sealed epoch, worked out from the leaves that changed in it and before it. */
@Injectable()
export class Trees {
  private readonly kept = new Map<bigint, Promise<EpochTrees>>();

  constructor(
    private readonly config: Config,
    private readonly db: Db,
  ) {}

  /** Of a sealed epoch, built once and kept while it is one of the last that were asked for. */
  of(number: bigint): Promise<EpochTrees> {
    const kept = this.kept.get(number);
    if (kept !== undefined) {
      this.kept.delete(number);
      this.kept.set(number, kept);
      return kept;
    }
    const built = this.build(this.db, number);
    this.kept.set(number, built);
    // What failed is not kept.
    built.catch(() => this.kept.delete(number));
    for (const old of this.kept.keys()) {
      if (this.kept.size <= MAX_KEPT) break;
      this.kept.delete(old);
    }
    return built;
  }

  /** As `tx` sees the leaves. */
  async build(tx: Tx, number: bigint): Promise<EpochTrees> {
    const { settlement } = this.config;
    const network = decodeBase58(settlement?.network ?? '') ?? new Uint8Array(32);
    return {
      workers: await settled<WorkerLeaf>(tx, WORKERS, number, (leaf) =>
        workerLeafBytes(network, leaf),
      ),
      submitters: await settled<SubmitterLeaf>(tx, SUBMITTERS, number, (leaf) =>
        submitterLeafBytes(network, leaf),
      ),
    };
  }
}

/** Leaves are hashed page by page and nodes in steps: a million of them would keep sockets waiting for longer than their term. */
async function settled<Leaf extends { readonly index: number }>(
  tx: Tx,
  statement: string,
  number: bigint,
  bytesOf: (leaf: Leaf) => Uint8Array,
): Promise<Settled<Leaf>> {
  const leaves: Leaf[] = [];
  const hashes: Uint8Array[] = [];
  for (let isLast = false; !isLast;) {
    const page = await tx.query<Leaf>(statement, [number, leaves.length, PAGE]);
    for (const leaf of page) {
      // Its place is its index: a gap would give every later leaf another's.
      if (leaf.index !== leaves.length) throw new Error(`there is no leaf of ${leaves.length}`);
      leaves.push(leaf);
      hashes.push(nodeSha256(bytesOf(leaf)));
    }
    isLast = page.length < PAGE;
  }
  const steps = settlementLevels(hashes, nodeSha256);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true)
      return { tree: new SettlementTree(hashes, nodeSha256, step.value), leaves };
    await setImmediate();
  }
}

/** The newest leaf of each index up to the epoch. */
const WORKERS = `
SELECT DISTINCT ON (index) index, payee, earned AS "lifetimeEarned", slashed AS "lifetimeSlashed"
FROM worker_leaves WHERE epoch <= $1 AND index >= $2 AND index < $2 + $3 ORDER BY index, epoch DESC`;

const SUBMITTERS = `
SELECT DISTINCT ON (index) index, wallet AS submitter, spent AS "lifetimeSpent", refunded AS "lifetimeRefunded", held
FROM submitter_leaves WHERE epoch <= $1 AND index >= $2 AND index < $2 + $3 ORDER BY index, epoch DESC`;
