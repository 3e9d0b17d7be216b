import type { PublicKey } from '@solana/web3.js';
import type { IdlTypes } from '@coral-xyz/anchor';
import type { SettlementIdl } from './idl.js';
import { asWords, word } from './word.js';

/** At most eight keys, of which so many must agree. */
export interface KeySetArgs {
  threshold: number;
  keys: PublicKey[];
}

/** Times in slots; the fee for opening a payee's token account in base units. */
export interface NetworkParameters {
  readonly challengeSlots: bigint;
  readonly unbondingSlots: bigint;
  readonly timelockSlots: bigint;
  readonly approvalSlots: bigint;
  readonly staleSlots: bigint;
  readonly accountOpeningFee: bigint;
}

/** The circuit breaker: how much may be earned and refunded within a window, absolutely and in ten-thousandths above a floor. */
export interface NetworkCaps {
  readonly windowSlots: bigint;
  readonly growthLimit: bigint;
  readonly relativeFloor: bigint;
  readonly growthBps: bigint;
}

/** What only the admins together can do (G17). */
export type GovernedAction =
  | { readonly kind: 'setParameters'; readonly parameters: NetworkParameters }
  | { readonly kind: 'setCaps'; readonly caps: NetworkCaps }
  | { readonly kind: 'unpause' }
  | { readonly kind: 'setOperators'; readonly authority: PublicKey; readonly releaser: PublicKey }
  | { readonly kind: 'setCosigners' | 'setAdmins' | 'setGuardians'; readonly keys: KeySetArgs }
  | { readonly kind: 'slash'; readonly worker: PublicKey; readonly amount: bigint }
  | {
      readonly kind: 'treasury';
      readonly source: 'fees' | 'slashedStake';
      readonly amount: bigint;
      readonly destination: PublicKey;
    };

type ActionArgs = IdlTypes<SettlementIdl>['action'];

/** The action as Anchor's coder takes it. */
export function actionArgs(action: GovernedAction): ActionArgs {
  const { kind, ...fields } = action;
  const written = Object.entries(fields).map(([name, value]) => [name, argument(value)] as const);
  // One variant with its fields by name: what Anchor's enum types say, in a form they cannot check.
  return { [kind]: Object.fromEntries(written) };
}

function argument(value: unknown): unknown {
  if (typeof value === 'bigint') return word(value);
  if (value === 'fees' || value === 'slashedStake') return { [value]: {} };
  const holdsAmounts =
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((one) => typeof one === 'bigint');
  return holdsAmounts ? asWords(value as Record<string, bigint>) : value;
}
