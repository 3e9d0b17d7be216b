import type { SettlementAddresses, SettlementProgram } from '@tidemill/settlement-client';
import type { ExecutedInstruction } from './chain-node.js';

/** What a worker's index has been paid since the beginning once a claim is through, if that is more than before. */
interface PaidUpTo {
  readonly index: number;
  readonly net: bigint;
}

/** What an instruction of the program moved, and where it stands in its transaction. Amounts are base units. */
export type ChainMove = { readonly place: string } & (
  | {
      readonly kind: 'deposited' | 'withdrawalRequested';
      readonly wallet: string;
      readonly amount: bigint;
    }
  /** Its wallet is in the submitter's account. */
  | { readonly kind: 'withdrawn'; readonly submitterAccount: string; readonly amount: bigint }
  | { readonly kind: 'claimed'; readonly claims: readonly PaidUpTo[]; readonly amount: bigint }
  | { readonly kind: 'feesWithdrawn'; readonly amount: bigint }
);

/** The token program's instructions, by number. */
const TRANSFER = 3;
const TRANSFER_CHECKED = 12;
const BATCH = 255;

interface Wide {
  toString(): string;
}
/** The arguments of the instructions that move something, as Anchor's coder gives them. */
interface Arguments {
  readonly amount?: Wide;
  readonly index?: number;
  readonly start?: number;
  readonly lifetimeEarned?: Wide;
  readonly lifetimeSlashed?: Wide;
  readonly leaves?: readonly {
    readonly paid?: { readonly lifetimeEarned: Wide; readonly lifetimeSlashed: Wide };
  }[];
}

/**
 * What a finalized transaction moved in one network's books. Read from the instructions and the transfers they made, not from logs: a
 * transaction can be written so that its logs are cut off, and a claim that nobody sees would stop settlement.
 */
export function chainMoves(
  program: SettlementProgram,
  addresses: SettlementAddresses,
  instructions: readonly ExecutedInstruction[],
): ChainMove[] {
  return instructions.flatMap((instruction, at) => {
    if (instruction.program !== addresses.programId.toBase58()) return [];
    const decoded = decoderOf(program).decode(Buffer.from(instruction.data));
    if (decoded === null) return [];
    const account = accountsOf(program, decoded.name, instruction);
    if (account('network') !== addresses.network.toBase58()) return [];
    const paidOut = transfersFrom(addresses.vault.toBase58(), callsOf(instructions, at));
    const move = moveOf(decoded.name, decoded.data, account, paidOut);
    return move === null ? [] : [{ ...move, place: instruction.place }];
  });
}

/** Anchor's type of a coder says less than the one that a program has. */
const decoderOf = (program: SettlementProgram) =>
  program.coder.instruction as unknown as {
    decode(data: Buffer): { readonly name: string; readonly data: Arguments } | null;
  };

type WithoutPlace<T> = T extends unknown ? Omit<T, 'place'> : never;

function moveOf(
  name: string,
  given: Arguments,
  account: (name: string) => string,
  paidOut: bigint,
): WithoutPlace<ChainMove> | null {
  switch (name) {
    case 'deposit':
      return { kind: 'deposited', wallet: account('submitter'), amount: wide(given.amount) };
    case 'requestWithdrawal':
      return {
        kind: 'withdrawalRequested',
        wallet: account('submitter'),
        amount: wide(given.amount),
      };
    case 'withdraw':
      return {
        kind: 'withdrawn',
        submitterAccount: account('submitterAccount'),
        amount: paidOut,
      };
    case 'claim':
      return { kind: 'claimed', claims: [paidUpTo(given.index ?? 0, given)], amount: paidOut };
    case 'claimBatch':
      return {
        kind: 'claimed',
        claims: (given.leaves ?? []).flatMap(({ paid }, at) =>
          paid === undefined ? [] : [paidUpTo((given.start ?? 0) + at, paid)],
        ),
        amount: paidOut,
      };
    case 'executeTreasury':
      // Slashed stake leaves another vault and is nothing of these books.
      return paidOut === 0n ? null : { kind: 'feesWithdrawn', amount: paidOut };
    default:
      return null;
  }
}

const wide = (value: Wide | undefined): bigint => BigInt(value?.toString() ?? 0);

function paidUpTo(
  index: number,
  leaf: Pick<Arguments, 'lifetimeEarned' | 'lifetimeSlashed'>,
): PaidUpTo {
  const net = wide(leaf.lifetimeEarned) - wide(leaf.lifetimeSlashed);
  return { index, net: net > 0n ? net : 0n };
}

/** Accounts by the names that the program's description gives them. */
function accountsOf(
  { idl }: SettlementProgram,
  name: string,
  instruction: ExecutedInstruction,
): (account: string) => string {
  const described = idl.instructions.find((one) => one.name === name)?.accounts ?? [];
  const names = described.map((account) => account.name as string);
  return (account) => instruction.accounts[names.indexOf(account)] ?? '';
}

/** What an instruction called itself. */
function callsOf(instructions: readonly ExecutedInstruction[], at: number): ExecutedInstruction[] {
  const depth = instructions[at]?.depth ?? 0;
  const rest = instructions.slice(at + 1);
  const end = rest.findIndex((one) => one.depth <= depth);
  return rest.slice(0, end < 0 ? undefined : end).filter((one) => one.depth === depth + 1);
}

/** What left a token account by these calls. Only its owner's signature moves anything out of it, so who was called does not matter. */
function transfersFrom(source: string, calls: readonly ExecutedInstruction[]): bigint {
  return calls.reduce((sum, call) => sum + transferred(source, call.data, call.accounts), 0n);
}

function transferred(source: string, data: Uint8Array, accounts: readonly string[]): bigint {
  const [kind] = data;
  if (kind === BATCH) return batched(source, data.subarray(1), accounts);
  if (kind !== TRANSFER && kind !== TRANSFER_CHECKED) return 0n;
  return accounts[0] === source ? Buffer.from(data).readBigUInt64LE(1) : 0n;
}

/** How many accounts and bytes each takes stands in front of it. */
function batched(source: string, data: Uint8Array, accounts: readonly string[]): bigint {
  let sum = 0n;
  let account = 0;
  for (let at = 0; at + 2 <= data.length;) {
    const [count = 0, length = 0] = data.subarray(at, at + 2);
    const one = data.subarray(at + 2, at + 2 + length);
    sum += transferred(source, one, accounts.slice(account, account + count));
    account += count;
    at += 2 + length;
  }
  return sum;
}
