import { z } from 'zod';
import { decodeBase58 } from './base58.js';
import { hexToBytes } from './crypto.js';
import { Hex32, PublicKeyText, SignatureText } from './digest.js';
import { AttemptId, JobId, WorkerId } from './ids.js';
import { BaseUnits } from './money.js';
import type { RootStatement } from './settlement/root-statement.js';

const time = z.iso.datetime();
const count = z.int().min(0);

export const EpochNumber = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

/** As in `core/settlement`, whose table says which may follow which. */
const EPOCH_STATES = ['open', 'sealed', 'posted', 'final', 'voided'] as const;

export const epochState = z.enum(EPOCH_STATES);

const SettlementTotalsView = z
  .object({
    spent: BaseUnits,
    earned: BaseUnits,
    slashed: BaseUnits,
    refunded: BaseUnits,
    fees: BaseUnits,
    feesGiven: BaseUnits,
    dust: BaseUnits,
  })
  .meta({ id: 'SettlementTotals', description: 'Lifetime sums over the network.' });

/** A `RootStatement` in JSON. */
export const RootStatementView = z
  .object({
    network: PublicKeyText,
    program: PublicKeyText,
    epoch: count,
    sealedSlot: count,
    workerRoot: Hex32,
    workerDepth: count,
    submitterRoot: Hex32,
    submitterDepth: count,
    totals: SettlementTotalsView,
    trailRoot: Hex32,
    trailSize: count,
    registryRoot: Hex32,
  })
  .meta({ id: 'RootStatement' });
export type RootStatementView = z.infer<typeof RootStatementView>;

/** What co-signers sign, from what the API says. @throws RangeError or SyntaxError for a view that is not of the schema's form */
export function rootStatementFrom(view: RootStatementView): RootStatement {
  const { totals } = view;
  return {
    network: addressFrom(view.network),
    program: addressFrom(view.program),
    epoch: BigInt(view.epoch),
    sealedSlot: BigInt(view.sealedSlot),
    workerRoot: hexToBytes(view.workerRoot),
    workerDepth: view.workerDepth,
    submitterRoot: hexToBytes(view.submitterRoot),
    submitterDepth: view.submitterDepth,
    totals: {
      spent: BigInt(totals.spent),
      earned: BigInt(totals.earned),
      slashed: BigInt(totals.slashed),
      refunded: BigInt(totals.refunded),
      fees: BigInt(totals.fees),
      feesGiven: BigInt(totals.feesGiven),
      dust: BigInt(totals.dust),
    },
    trailRoot: hexToBytes(view.trailRoot),
    trailSize: BigInt(view.trailSize),
    registryRoot: hexToBytes(view.registryRoot),
  };
}

function addressFrom(text: string): Uint8Array {
  const bytes = decodeBase58(text);
  if (bytes === null) throw new RangeError(`${text} is not base58`);
  return bytes;
}

/** Longest reason of an objection. */
const MAX_REASON_LENGTH = 1_000;
const reason = z.string().min(1).max(MAX_REASON_LENGTH);

export const AttestationRequest = z
  .strictObject({
    cosigner: PublicKeyText,
    signature: SignatureText.meta({
      description: 'Over the bytes of the statement, as docs/settlement.md says.',
    }),
  })
  .meta({ id: 'AttestationRequest' });
export type AttestationRequest = z.infer<typeof AttestationRequest>;

export const ObjectionRequest = z
  .strictObject({
    cosigner: PublicKeyText,
    reason,
    signature: SignatureText.meta({
      description: 'Over `tidemill/epoch-objection/1`, a line feed, the statement and the reason.',
    }),
  })
  .meta({ id: 'ObjectionRequest' });
export type ObjectionRequest = z.infer<typeof ObjectionRequest>;

/** What is paid together. Of an open epoch only the totals are known, and they still move. */
export const EpochView = z
  .object({
    number: count,
    state: epochState,
    charges: count.meta({ description: 'How many charges joined it.' }),
    totals: SettlementTotalsView,
    statement: RootStatementView.nullable(),
    attestations: z.array(
      z.object({ cosigner: PublicKeyText, signature: SignatureText, at: time }),
    ),
    objections: z.array(
      z.object({ cosigner: PublicKeyText, reason, signature: SignatureText, at: time }),
    ),
    openedAt: time,
    sealedAt: time.nullable(),
    postedAt: time.nullable(),
    finalAt: time.nullable(),
    voidedAt: time.nullable(),
    voidReason: z.string().nullable(),
  })
  .meta({ id: 'Epoch' });
export type EpochView = z.infer<typeof EpochView>;
export const EpochPage = z
  .object({ items: z.array(EpochView), nextCursor: z.string().nullable() })
  .meta({ id: 'EpochPage' });

export const SETTLEMENT_TREES = ['workers', 'submitters'] as const;

/** One line of the leaves of the workers' tree, in the order of their indexes. */
export const WorkerLeafLine = z.object({
  index: count,
  payee: PublicKeyText,
  earned: BaseUnits,
  slashed: BaseUnits,
});
export type WorkerLeafLine = z.infer<typeof WorkerLeafLine>;

/** One line of the leaves of the submitters' tree, in the order of their indexes. */
export const SubmitterLeafLine = z.object({
  index: count,
  wallet: PublicKeyText,
  spent: BaseUnits,
  refunded: BaseUnits,
  held: BaseUnits,
});
export type SubmitterLeafLine = z.infer<typeof SubmitterLeafLine>;

/** One line of the charges that joined an epoch, in the order of their attempts. */
export const EpochChargeLine = z.object({
  attempt: AttemptId,
  job: JobId,
  worker: WorkerId,
  workerIndex: count,
  submitter: PublicKeyText,
  submitterIndex: count,
  price: BaseUnits,
  fee: BaseUnits,
  payer: z.enum(['submitter', 'fees']),
  refunded: z.boolean(),
  /** Null where it is not kept any more. `publicKey` is the key that the worker had when it signed. */
  receipt: z
    .object({
      text: z.string(),
      publicKey: PublicKeyText,
      batch: z.object({
        index: count,
        size: count,
        path: z.array(Hex32),
        signature: SignatureText,
      }),
    })
    .nullable(),
});
export type EpochChargeLine = z.infer<typeof EpochChargeLine>;

const proof = {
  epoch: count,
  path: z.array(Hex32).meta({ description: 'Siblings from the leaf up to the root.' }),
  root: Hex32,
};
export const WorkerProofView = WorkerLeafLine.extend(proof).meta({ id: 'WorkerProof' });
export type WorkerProofView = z.infer<typeof WorkerProofView>;
export const SubmitterProofView = SubmitterLeafLine.extend(proof).meta({ id: 'SubmitterProof' });
export type SubmitterProofView = z.infer<typeof SubmitterProofView>;

/** What was released to a worker by the end of an epoch. With it anybody can void a root that says less. */
export const ReleasedTotalView = z
  .object({
    network: PublicKeyText,
    program: PublicKeyText,
    epoch: count,
    index: count,
    earned: BaseUnits,
    publicKey: PublicKeyText,
    signature: SignatureText,
  })
  .meta({ id: 'ReleasedTotal' });
export type ReleasedTotalView = z.infer<typeof ReleasedTotalView>;

/** What an epoch paid a worker: how far its leaf grew, and whether that can be claimed. */
export const EpochEarnings = z.object({
  epoch: count,
  state: epochState,
  sealedAt: time,
  amount: BaseUnits,
  slashed: BaseUnits,
});
