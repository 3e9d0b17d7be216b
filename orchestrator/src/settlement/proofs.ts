import { Injectable, Inject } from '@nestjs/common';
import {
  bytesToHex,
  decodeBase58,
  encodeBase58,
  releasedTotalBytes,
  type ReleasedTotalView,
  type SubmitterProofView,
  type WorkerId,
  type WorkerProofView,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { Config } from '../config/env.js';
import { Db } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { submitterLine, workerLine } from './epoch-lines.js';
import { Trees, type Settled } from './trees.js';

/** DI token of the key that signs what was released: another than the authority's, which posts roots. */
export const RELEASER = Symbol('releaser');

/** What people need to get their money without this network's help. */
@Injectable()
export class Proofs {
  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly trees: Trees,
    @Inject(RELEASER) private readonly releaser: Signer | null,
  ) {}

  /** @throws ProblemError NOT_FOUND */
  async ofWorker(number: number, id: WorkerId): Promise<WorkerProofView> {
    const index = await this.index(WORKER, number, id);
    const { workers } = await this.trees.of(BigInt(number));
    return proofOf(number, workers, index, workerLine);
  }

  /** @throws ProblemError NOT_FOUND */
  async ofSubmitter(number: number, wallet: string): Promise<SubmitterProofView> {
    const index = await this.index(SUBMITTER, number, wallet);
    const { submitters } = await this.trees.of(BigInt(number));
    return proofOf(number, submitters, index, submitterLine);
  }

  /** What the newest sealed epoch says of a worker, signed. @throws ProblemError NO_CHAIN, NOT_FOUND */
  async released(id: WorkerId): Promise<ReleasedTotalView> {
    const { settlement } = this.config;
    if (settlement === null || this.releaser === null)
      throw new ProblemError('NO_CHAIN', 'There are no epochs here.');
    const [row] = await this.db.query<{ epoch: bigint; index: number; earned: bigint }>(RELEASED, [
      id,
    ]);
    if (row === undefined)
      throw new ProblemError('NOT_FOUND', `Nothing of ${id} is in a sealed epoch yet.`);
    const { network, program } = settlement;
    const bytes = releasedTotalBytes({
      network: decodeBase58(network) ?? new Uint8Array(0),
      program: decodeBase58(program) ?? new Uint8Array(0),
      epoch: row.epoch,
      index: row.index,
      lifetimeEarned: row.earned,
    });
    return {
      network,
      program,
      epoch: Number(row.epoch),
      index: row.index,
      earned: String(row.earned),
      publicKey: encodeBase58(this.releaser.publicKey),
      signature: encodeBase58(this.releaser.sign(bytes)),
    };
  }

  private async index(statement: string, number: number, who: string): Promise<number> {
    const [row] = await this.db.query<{ index: number }>(statement, [number, who]);
    if (row !== undefined) return row.index;
    throw new ProblemError(
      'NOT_FOUND',
      `There is no leaf of ${who} in an epoch ${number} that is sealed.`,
    );
  }
}

function proofOf<Leaf, Line extends object>(
  epoch: number,
  { tree, leaves }: Settled<Leaf>,
  index: number,
  lineOf: (leaf: Leaf) => Line,
) {
  const leaf = leaves[index];
  if (leaf === undefined) throw new Error(`epoch ${epoch} has no leaf ${index}`);
  return {
    ...lineOf(leaf),
    epoch,
    path: tree.proof(index).map(bytesToHex),
    root: bytesToHex(tree.root),
  };
}

const WORKER = `
SELECT live.index FROM settlement_workers AS live JOIN epochs AS epoch ON epoch.number = $1 AND epoch.state <> 'open'
WHERE live.worker_id = $2 AND EXISTS (SELECT FROM worker_leaves AS leaf WHERE leaf.index = live.index AND leaf.epoch <= $1)`;

const SUBMITTER = `
SELECT live.index FROM settlement_submitters AS live JOIN epochs AS epoch ON epoch.number = $1 AND epoch.state <> 'open'
WHERE live.wallet = $2 AND EXISTS (SELECT FROM submitter_leaves AS leaf WHERE leaf.index = live.index AND leaf.epoch <= $1)`;

const RELEASED = `
SELECT epoch.number AS epoch, leaf.index, leaf.earned
FROM settlement_workers AS live
CROSS JOIN LATERAL (SELECT index, earned FROM worker_leaves WHERE worker_leaves.index = live.index ORDER BY epoch DESC LIMIT 1) AS leaf
CROSS JOIN LATERAL (SELECT number FROM epochs WHERE state <> 'open' ORDER BY number DESC LIMIT 1) AS epoch
WHERE live.worker_id = $1`;
