import { tagged, TAGS } from '../crypto.js';
import { LayoutWriter } from './layout.js';

/** Lifetime sums over the whole network, in base units. Each only ever grows; `spent + feesGiven = earned + fees + dust` (G8). */
export interface SettlementTotals {
  readonly spent: bigint;
  /** Only what is released: a reward waits until it can no longer be withheld. */
  readonly earned: bigint;
  readonly slashed: bigint;
  readonly refunded: bigint;
  /** Gross: what was taken out of prices. */
  readonly fees: bigint;
  /** Given out of fees: audits, referees, honest work in void segments. */
  readonly feesGiven: bigint;
  /** What divisions left over. */
  readonly dust: bigint;
}

/** What co-signers attest of an epoch, and what the program stores of it. Hashes and addresses are 32 bytes. */
export interface RootStatement {
  /** The address of the network's account on chain. */
  readonly network: Uint8Array;
  readonly program: Uint8Array;
  readonly epoch: bigint;
  /** The finalized slot that the ledger had seen when the epoch was sealed: what was requested on chain until then is in the leaves. */
  readonly sealedSlot: bigint;
  readonly workerRoot: Uint8Array;
  readonly workerDepth: number;
  readonly submitterRoot: Uint8Array;
  readonly submitterDepth: number;
  readonly totals: SettlementTotals;
  /** The root and size of the decision trail when the epoch was sealed (G15). */
  readonly trailRoot: Uint8Array;
  readonly trailSize: bigint;
  /** The root of the model registry. */
  readonly registryRoot: Uint8Array;
}

/** `tag ‖ 0x0a ‖ fields in order`, 301 bytes: what is signed and, as it is, the arguments of `post_root`. */
export function rootStatementBytes(statement: RootStatement): Uint8Array {
  const { totals } = statement;
  return tagged(
    TAGS.settlementRoot,
    new LayoutWriter()
      .bytes(statement.network, 32)
      .bytes(statement.program, 32)
      .u64(statement.epoch)
      .u64(statement.sealedSlot)
      .bytes(statement.workerRoot, 32)
      .u8(statement.workerDepth)
      .bytes(statement.submitterRoot, 32)
      .u8(statement.submitterDepth)
      .u64(totals.spent)
      .u64(totals.earned)
      .u64(totals.slashed)
      .u64(totals.refunded)
      .u64(totals.fees)
      .u64(totals.feesGiven)
      .u64(totals.dust)
      .bytes(statement.trailRoot, 32)
      .u64(statement.trailSize)
      .bytes(statement.registryRoot, 32)
      .finish(),
  );
}

/** What the orchestrator has released to an index by the end of an epoch. With it anybody can void a root that says less. */
export interface ReleasedTotal {
  readonly network: Uint8Array;
  readonly program: Uint8Array;
  readonly epoch: bigint;
  readonly index: number;
  readonly lifetimeEarned: bigint;
}

/** `tag ‖ 0x0a ‖ network ‖ program ‖ epoch ‖ index ‖ earned`, 110 bytes: what is signed and the first arguments of `void_root_with_proof`. */
export function releasedTotalBytes(released: ReleasedTotal): Uint8Array {
  return tagged(
    TAGS.releasedTotal,
    new LayoutWriter()
      .bytes(released.network, 32)
      .bytes(released.program, 32)
      .u64(released.epoch)
      .u32(released.index)
      .u64(released.lifetimeEarned)
      .finish(),
  );
}
