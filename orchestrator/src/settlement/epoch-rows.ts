import type { EpochState } from '@tidemill/core/settlement';
import {
  encodeBase58,
  type EpochView,
  type RootStatement,
  type RootStatementView,
  type SettlementTotals,
} from '@tidemill/protocol';

/** Where an epoch is read: its lifetime totals, and of a sealed one the rest of its statement. */
export interface EpochRow {
  readonly number: bigint;
  readonly state: EpochState;
  readonly spent: bigint;
  readonly earned: bigint;
  readonly slashed: bigint;
  readonly refunded: bigint;
  readonly fees: bigint;
  readonly fees_given: bigint;
  readonly dust: bigint;
  readonly charges: bigint;
  readonly network: Buffer | null;
  readonly program: Buffer | null;
  readonly sealed_slot: bigint | null;
  readonly worker_root: Buffer | null;
  readonly worker_depth: number | null;
  readonly submitter_root: Buffer | null;
  readonly submitter_depth: number | null;
  readonly trail_root: Buffer | null;
  readonly trail_size: bigint | null;
  readonly registry_root: Buffer | null;
  readonly opened_at: Date;
  readonly sealed_at: Date | null;
  readonly posted_at: Date | null;
  readonly final_at: Date | null;
  readonly voided_at: Date | null;
  readonly void_reason: string | null;
}

/** What co-signers have said of an epoch, keys and signatures in hex. */
export interface SaidRow {
  readonly epoch: bigint;
  readonly cosigner: Buffer;
  readonly signature: Buffer;
  readonly reason: string | null;
  readonly at: Date;
}

export const totalsOf = (row: EpochRow): SettlementTotals => ({
  spent: row.spent,
  earned: row.earned,
  slashed: row.slashed,
  refunded: row.refunded,
  fees: row.fees,
  feesGiven: row.fees_given,
  dust: row.dust,
});

/** What was sealed; null of an open epoch. */
export function statementOf(row: EpochRow): RootStatement | null {
  const { network, program, worker_root, submitter_root, trail_root, registry_root } = row;
  if (network === null || program === null || worker_root === null || submitter_root === null)
    return null;
  if (trail_root === null || registry_root === null) return null;
  return {
    network,
    program,
    epoch: row.number,
    sealedSlot: row.sealed_slot ?? 0n,
    workerRoot: worker_root,
    workerDepth: row.worker_depth ?? 0,
    submitterRoot: submitter_root,
    submitterDepth: row.submitter_depth ?? 0,
    totals: totalsOf(row),
    trailRoot: trail_root,
    trailSize: row.trail_size ?? 0n,
    registryRoot: registry_root,
  };
}

export function epochView(row: EpochRow, said: readonly SaidRow[]): EpochView {
  const statement = statementOf(row);
  const mine = said.filter(({ epoch }) => epoch === row.number);
  return {
    number: Number(row.number),
    state: row.state,
    charges: Number(row.charges),
    totals: totalsView(totalsOf(row)),
    statement: statement === null ? null : statementView(statement),
    attestations: mine.flatMap(({ reason, ...one }) => (reason === null ? [signedView(one)] : [])),
    objections: mine.flatMap(({ reason, ...one }) =>
      reason === null ? [] : [{ ...signedView(one), reason }],
    ),
    openedAt: row.opened_at.toISOString(),
    sealedAt: row.sealed_at?.toISOString() ?? null,
    postedAt: row.posted_at?.toISOString() ?? null,
    finalAt: row.final_at?.toISOString() ?? null,
    voidedAt: row.voided_at?.toISOString() ?? null,
    voidReason: row.void_reason,
  };
}

const signedView = ({ cosigner, signature, at }: Omit<SaidRow, 'reason'>) => ({
  cosigner: encodeBase58(cosigner),
  signature: encodeBase58(signature),
  at: at.toISOString(),
});

const totalsView = (totals: SettlementTotals): EpochView['totals'] => ({
  spent: String(totals.spent),
  earned: String(totals.earned),
  slashed: String(totals.slashed),
  refunded: String(totals.refunded),
  fees: String(totals.fees),
  feesGiven: String(totals.feesGiven),
  dust: String(totals.dust),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const statementView = (statement: RootStatement): RootStatementView => ({
  network: encodeBase58(statement.network),
  program: encodeBase58(statement.program),
  epoch: Number(statement.epoch),
  sealedSlot: Number(statement.sealedSlot),
  workerRoot: hex(statement.workerRoot),
  workerDepth: statement.workerDepth,
  submitterRoot: hex(statement.submitterRoot),
  submitterDepth: statement.submitterDepth,
  totals: totalsView(statement.totals),
  trailRoot: hex(statement.trailRoot),
  trailSize: Number(statement.trailSize),
  registryRoot: hex(statement.registryRoot),
});
