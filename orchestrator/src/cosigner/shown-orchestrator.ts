import { type Tidemill, TidemillError } from '@tidemill/client';
import { placedEvent } from '@tidemill/client/verify';
import type {
  ChargeRow,
  CosignerMemory,
  EpochEvidence,
  SubmitterRow,
  WorkerRow,
} from '@tidemill/core/cosigner';
import {
  bytesToHex,
  type EpochChargeLine,
  type EpochView,
  type PlacedEvent,
  receiptHash,
  rootStatementFrom,
  type SignedReceipt,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import type { Orchestrator, ShownEpoch } from './cosigner.js';

/** An orchestrator over HTTP, asked as anybody could. */
export class ShownOrchestrator implements Orchestrator {
  constructor(
    private readonly tidemill: Pick<Tidemill, 'epochs' | 'trail'>,
    private readonly cosigner: string,
  ) {}

  async epochsAfter(epoch: bigint): Promise<readonly ShownEpoch[]> {
    const found: ShownEpoch[] = [];
    for await (const view of this.tidemill.epochs.list()) {
      if (BigInt(view.number) <= epoch) break;
      const shown = shownOf(view);
      if (shown !== null) found.push(shown);
    }
    return found.reverse();
  }

  async epoch(number: bigint): Promise<ShownEpoch | null> {
    try {
      return shownOf(await this.tidemill.epochs.get(Number(number)));
    } catch (error) {
      if (error instanceof TidemillError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  async evidence(
    { number, statement }: ShownEpoch,
    memory: CosignerMemory,
  ): Promise<EpochEvidence> {
    const { epochs } = this.tidemill;
    const charges: ChargeRow[] = [];
    for await (const line of epochs.charges(Number(number))) charges.push(chargeOf(line));
    // Leaves do not name their workers; the first charge of an index does.
    const names = new Map(memory.workers.map(({ index, worker }) => [index, worker]));
    for (const { index, worker } of charges) if (!names.has(index)) names.set(index, worker);
    const workers: WorkerRow[] = [];
    for await (const { index, payee, earned, slashed } of epochs.workerLeaves(Number(number)))
      workers.push({
        index,
        worker: names.get(index) ?? '',
        payee,
        lifetimeEarned: BigInt(earned),
        lifetimeSlashed: BigInt(slashed),
      });
    const submitters: SubmitterRow[] = [];
    for await (const leaf of epochs.submitterLeaves(Number(number)))
      submitters.push({
        index: leaf.index,
        submitter: leaf.wallet,
        lifetimeSpent: BigInt(leaf.spent),
        lifetimeRefunded: BigInt(leaf.refunded),
        held: BigInt(leaf.held),
      });
    return { statement, charges, workers, submitters };
  }

  async *events(from: number): AsyncGenerator<PlacedEvent> {
    let place = from;
    for await (const event of this.tidemill.trail.events(from)) {
      yield placedEvent(event, place);
      place += 1;
    }
  }

  async attest(epoch: bigint, signature: string): Promise<void> {
    await this.tidemill.epochs.attest(Number(epoch), this.cosigner, signature);
  }

  async object(epoch: bigint, reason: string, signature: string): Promise<void> {
    const { cosigner } = this;
    await this.tidemill.epochs.object(Number(epoch), { cosigner, reason, signature });
  }
}

function shownOf(view: EpochView): ShownEpoch | null {
  const { number, state, statement, attestations, objections } = view;
  if (statement === null) return null;
  return {
    number: BigInt(number),
    statement: rootStatementFrom(statement),
    isSealed: state === 'sealed',
    spoken: [...attestations, ...objections].map(({ cosigner }) => cosigner),
  };
}

function chargeOf(line: EpochChargeLine): ChargeRow {
  const { attempt, job, worker, workerIndex, submitter, payer, refunded } = line;
  return {
    attempt,
    job,
    worker,
    index: workerIndex,
    submitter,
    price: BigInt(line.price),
    fee: BigInt(line.fee),
    payer,
    refunded,
    receipt: receiptOf(line),
  };
}

/** A receipt that is not shown is one that does not verify. */
function receiptOf({ attempt, worker, receipt }: EpochChargeLine): SignedReceipt {
  const text = receipt?.text ?? '';
  return {
    attemptId: attempt,
    workerId: worker,
    publicKey: receipt?.publicKey ?? '',
    text,
    hash: bytesToHex(receiptHash(text, nodeSha256)),
    batch: receipt?.batch ?? { index: 0, size: 1, path: [], signature: '' },
  };
}
