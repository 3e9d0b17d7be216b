import { PublicKey } from '@solana/web3.js';
import { bytesToHex, formatAmount } from '@tidemill/protocol';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import { ChainError } from './chain-error.js';
import { type Amount, units } from './network-account.js';
import type { Sent, SettlementOnChain } from './settlement.js';

/** A governed action that waits for approvals or for its time. */
export interface Proposal {
  readonly number: bigint;
  readonly proposer: string;
  /** Of the action's bytes, worked out here from what the account holds. */
  readonly digest: string;
  readonly approvals: number;
  readonly needed: number;
  /** From this slot on it can be executed. */
  readonly readySlot: bigint;
  readonly slot: bigint;
  /** What it would do, in words. */
  readonly does: string;
}

interface DecodedProposal {
  readonly proposer: PublicKey;
  readonly readySlot: Amount;
  readonly digest: readonly number[];
  /** One bit for each admin. */
  readonly approvals: number;
  readonly actionLength: number;
  readonly action: readonly number[];
}

/** How many proposals are looked back for. */
const MOST = 64;

/** Those that are open, the oldest first. */
export async function openProposals(chain: SettlementOnChain): Promise<Proposal[]> {
  const { proposals } = chain.state;
  const found: Proposal[] = [];
  for (
    let number = proposals > BigInt(MOST) ? proposals - BigInt(MOST) : 0n;
    number < proposals;
    number += 1n
  ) {
    const proposal = await readProposal(chain, number);
    if (proposal !== null) found.push(proposal.shown);
  }
  return found;
}

/** Approves what has this digest and nothing else: the program compares it, so a proposal that changed is not approved. */
export async function approve(
  chain: SettlementOnChain,
  wallet: Signer,
  number: bigint,
): Promise<Sent & { readonly proposal: Proposal }> {
  const { shown, digest } = await mustRead(chain, number);
  const approver = new PublicKey(wallet.publicKey);
  const sent = await chain.send([await chain.build.approve(approver, number, digest)], wallet);
  return { ...sent, proposal: shown };
}

/** Carries out what enough admins have approved. Anybody may send it. */
export async function execute(
  chain: SettlementOnChain,
  wallet: Signer,
  number: bigint,
): Promise<Sent & { readonly proposal: Proposal }> {
  const { shown, action, proposer } = await mustRead(chain, number);
  const { slash, treasury } = action;
  const instruction = slash
    ? await chain.build.executeSlash(proposer, number, key(slash['worker']))
    : treasury
      ? await chain.build.executeTreasury(proposer, number, {
          source: 'fees' in (treasury['source'] as object) ? 'fees' : 'slashedStake',
          destination: key(treasury['destination']),
        })
      : await chain.build.execute(proposer, number);
  return { ...(await chain.send([instruction], wallet)), proposal: shown };
}

async function mustRead(chain: SettlementOnChain, number: bigint) {
  const found = await readProposal(chain, number);
  if (found !== null) return found;
  throw new ChainError(
    'REFUSED',
    `There is no open proposal ${number}.`,
    'See what is open: tidemill approve',
  );
}

type Fields = Readonly<Record<string, unknown>>;
type Action = Readonly<Record<string, Fields>>;

async function readProposal(chain: SettlementOnChain, number: bigint) {
  const data = await chain.data(chain.addresses.proposal(number));
  if (data === null) return null;
  const { coder } = chain.program;
  const raw = coder.accounts.decode<DecodedProposal>('proposal', data);
  const bytes = Uint8Array.from(raw.action.slice(0, raw.actionLength));
  const digest = nodeSha256(bytes);
  if (bytesToHex(digest) !== bytesToHex(Uint8Array.from(raw.digest)))
    throw new ChainError(
      'REFUSED',
      `The digest of proposal ${number} is not that of its action.`,
      'Do not approve it, and tell the other admins.',
    );
  const action = coder.types.decode<Action>('action', Buffer.from(bytes));
  const shown: Proposal = {
    number,
    proposer: raw.proposer.toBase58(),
    digest: bytesToHex(digest),
    approvals: [...raw.approvals.toString(2)].filter((bit) => bit === '1').length,
    needed: chain.state.adminThreshold,
    readySlot: units(raw.readySlot),
    slot: chain.state.slot,
    does: inWords(action),
  };
  return { shown, action, digest, proposer: raw.proposer };
}

/** What an action does, so that nobody approves what was not read. */
function inWords(action: Action): string {
  const [[kind, fields] = ['nothing', {}]] = Object.entries(action);
  const keys = () => {
    const { threshold, keys: all } = fields['keys'] as { threshold: number; keys: PublicKey[] };
    return `${threshold} of ${all.map((one) => one.toBase58()).join(', ')}`;
  };
  switch (kind) {
    case 'unpause':
      return 'lifts the pause: roots, deposits and stakes are taken again';
    case 'setParameters':
      return `sets the waits and fees: ${listed(fields['parameters'])}`;
    case 'setCaps':
      return `sets the circuit breaker: ${listed(fields['caps'])}`;
    case 'setOperators':
      return `makes ${text(fields['authority'])} the authority that posts roots, and ${text(fields['releaser'])} the key that signs released totals`;
    case 'setCosigners':
      return `replaces the co-signers by ${keys()}`;
    case 'setAdmins':
      return `replaces the admins by ${keys()}`;
    case 'setGuardians':
      return `replaces the guardians by ${keys()}`;
    case 'slash':
      return `takes ${amount(fields['amount'])} tokens of the stake of ${text(fields['worker'])}`;
    case 'treasury':
      return `pays ${amount(fields['amount'])} tokens out of ${'fees' in (fields['source'] as object) ? 'the fees' : 'slashed stakes'} to ${text(fields['destination'])}`;
    default:
      return `does something that this version does not know (${kind}): do not approve it`;
  }
}

const key = (value: unknown): PublicKey => value as PublicKey; // as the program's types decode it

const text = (value: unknown): string => key(value).toBase58();

const amount = (value: unknown): string => formatAmount(units(value as Amount));

const listed = (value: unknown): string =>
  Object.entries(value as Record<string, Amount>)
    .map(([name, one]) => `${name} ${one.toString()}`)
    .join(', ');
