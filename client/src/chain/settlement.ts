import {
  createAssociatedTokenAccountIdempotentInstruction,
  getAssociatedTokenAddressSync,
} from '@solana/spl-token';
import { PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { paidTotalAt, type SubmitterLeaf, type WorkerLeaf } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import {
  SettlementAddresses,
  SettlementInstructions,
  settlementProgram,
  type SettlementProgram,
} from '@tidemill/settlement-client';
import { ChainError } from './chain-error.js';
import { type Amount, type NetworkOnChain, readNetwork, units } from './network-account.js';
import { Rpc } from './rpc.js';

/** Where a network is: a node, and addresses in base58. */
export interface ChainPlace {
  readonly rpcUrl: string;
  readonly program: string;
  readonly network: string;
}

/** A submitter's account on chain, in base units and slots. */
export interface SubmitterOnChain {
  readonly deposited: bigint;
  readonly withdrawn: bigint;
  readonly requested: bigint;
  readonly requestedSlot: bigint;
}

export interface StakeOnChain {
  readonly staked: bigint;
  readonly unbonding: bigint;
  readonly unbondedSlot: bigint;
}

/** What a transaction came to. */
export interface Sent {
  readonly signature: string;
}

/** A leaf with the siblings that lead to its root. */
export interface Proven<Leaf> {
  readonly leaf: Leaf;
  readonly proof: readonly Uint8Array[];
}

/** One network on chain, as those use it who have a wallet. Amounts are base units. Everything may throw ChainError. */
export class SettlementOnChain {
  private constructor(
    readonly rpc: Rpc,
    readonly program: SettlementProgram,
    readonly addresses: SettlementAddresses,
    readonly build: SettlementInstructions,
    readonly state: NetworkOnChain,
  ) {}

  /** @throws ChainError NO_NETWORK or RPC_UNREACHABLE */
  static async open({ rpcUrl, program, network }: ChainPlace): Promise<SettlementOnChain> {
    const rpc = new Rpc(rpcUrl);
    const programId = new PublicKey(program);
    const client = settlementProgram(programId, rpc.connection);
    const addresses = new SettlementAddresses(programId, new PublicKey(network));
    const state = await readNetwork(rpc, client, addresses);
    const build = new SettlementInstructions(client, addresses, state.tokenProgram);
    return new SettlementOnChain(rpc, client, addresses, build, state);
  }

  /** Moves tokens of the wallet to the credit of a submitter, which may be another. */
  async deposit(wallet: Signer, submitter: string, amount: bigint, source?: string): Promise<Sent> {
    const depositor = new PublicKey(wallet.publicKey);
    const order = {
      depositor,
      submitter: new PublicKey(submitter),
      source: await this.tokensOf(depositor, amount, source),
      amount,
    };
    return this.send([await this.build.deposit(order)], wallet);
  }

  /** Asks for so much back; it is paid by `withdraw` once a root that was sealed later is active. */
  async requestWithdrawal(wallet: Signer, amount: bigint): Promise<Sent> {
    const submitter = new PublicKey(wallet.publicKey);
    return this.send([await this.build.requestWithdrawal(submitter, amount)], wallet);
  }

  /** Pays what was asked for, as far as the leaf allows. */
  async withdraw(wallet: Signer, { leaf, proof }: Proven<SubmitterLeaf>): Promise<Sent> {
    const submitter = new PublicKey(wallet.publicKey);
    const { destination, opening } = this.opened(submitter, submitter);
    const order = { submitter, destination, leaf, proof };
    return this.send([...opening, await this.build.withdraw(order)], wallet);
  }

  /** Pays a worker what is new in its leaf, to the payee's own token account. Anybody may send it. */
  async claim(wallet: Signer, { leaf, proof }: Proven<WorkerLeaf>): Promise<Sent> {
    const { destination, opening } = this.opened(
      new PublicKey(wallet.publicKey),
      new PublicKey(leaf.payee),
    );
    return this.send([...opening, await this.build.claim(leaf, proof, destination)], wallet);
  }

  async stake(wallet: Signer, amount: bigint, source?: string): Promise<Sent> {
    const worker = new PublicKey(wallet.publicKey);
    const tokens = await this.tokensOf(worker, amount, source);
    return this.send([await this.build.stake(worker, tokens, amount)], wallet);
  }

  async requestUnstake(wallet: Signer, amount: bigint): Promise<Sent> {
    const worker = new PublicKey(wallet.publicKey);
    return this.send([await this.build.requestUnstake(worker, amount)], wallet);
  }

  async withdrawStake(wallet: Signer): Promise<Sent> {
    const worker = new PublicKey(wallet.publicKey);
    const { destination, opening } = this.opened(worker, worker);
    return this.send([...opening, await this.build.withdrawStake(worker, destination)], wallet);
  }

  /** Null for a wallet that never deposited. */
  async submitter(wallet: string): Promise<SubmitterOnChain | null> {
    const account = await this.data(this.addresses.submitter(new PublicKey(wallet)));
    if (account === null) return null;
    const raw = this.program.coder.accounts.decode<Record<keyof SubmitterOnChain, Amount>>(
      'submitter',
      account,
    );
    return {
      deposited: units(raw.deposited),
      withdrawn: units(raw.withdrawn),
      requested: units(raw.requested),
      requestedSlot: units(raw.requestedSlot),
    };
  }

  /** Null for a wallet that never staked. */
  async stakeOf(wallet: string): Promise<StakeOnChain | null> {
    const account = await this.data(this.addresses.stake(new PublicKey(wallet)));
    if (account === null) return null;
    const raw = this.program.coder.accounts.decode<Record<keyof StakeOnChain, Amount>>(
      'stake',
      account,
    );
    return {
      staked: units(raw.staked),
      unbonding: units(raw.unbonding),
      unbondedSlot: units(raw.unbondedSlot),
    };
  }

  /** What an index was paid since the beginning; nothing when its page does not exist yet. */
  async paid(index: number): Promise<bigint> {
    const { page, place } = paidTotalAt(index);
    const account = await this.data(this.addresses.page(page));
    if (account === null) return 0n;
    const { paid } = this.program.coder.accounts.decode<{ paid: readonly Amount[] }>(
      'page',
      account,
    );
    return units(paid[place] ?? 0);
  }

  /** What a wallet has of the network's token, in all its token accounts. */
  async tokens(wallet: string): Promise<bigint> {
    const { mint } = this.state;
    const { value } = await this.rpc.ask((node) =>
      node.getParsedTokenAccountsByOwner(new PublicKey(wallet), { mint }),
    );
    return value.reduce((sum, { account }) => sum + heldIn(account.data.parsed), 0n);
  }

  data(address: PublicKey): Promise<Buffer | null> {
    return this.rpc.ask(async (node) => (await node.getAccountInfo(address))?.data ?? null);
  }

  async send(instructions: readonly TransactionInstruction[], wallet: Signer): Promise<Sent> {
    return { signature: await this.rpc.send(instructions, wallet) };
  }

  /** The owner's token account, opened at the payer's expense if it is not there. */
  private opened(payer: PublicKey, owner: PublicKey) {
    const { mint, tokenProgram } = this.state;
    const destination = getAssociatedTokenAddressSync(mint, owner, true, tokenProgram);
    const opening = createAssociatedTokenAccountIdempotentInstruction(
      payer,
      destination,
      owner,
      mint,
      tokenProgram,
    );
    return { destination, opening: [opening] };
  }

  /** A token account of the owner with so much in it: the one that was named, or the fullest it has. */
  private async tokensOf(owner: PublicKey, amount: bigint, named?: string): Promise<PublicKey> {
    const { mint } = this.state;
    if (named !== undefined) await this.refuseOtherMint(new PublicKey(named));
    const { value } = await this.rpc.ask((node) =>
      node.getParsedTokenAccountsByOwner(owner, { mint }),
    );
    const accounts = value
      .map(({ pubkey, account }) => ({ pubkey, held: heldIn(account.data.parsed) }))
      .filter(({ pubkey }) => named === undefined || pubkey.toBase58() === named)
      .sort((a, b) => (a.held < b.held ? 1 : -1));
    const [fullest] = accounts;
    if (fullest === undefined)
      throw new ChainError(
        'NO_TOKEN_ACCOUNT',
        `${owner.toBase58()} has no account for the token ${mint.toBase58()}${named === undefined ? '' : ` at ${named}`}.`,
        'Get some of the token first, or name another wallet with --key.',
      );
    if (fullest.held < amount)
      throw new ChainError(
        'TOO_FEW_TOKENS',
        `${fullest.pubkey.toBase58()} holds ${fullest.held} base units, that is less than ${amount}.`,
        'Put tokens in it, or name less.',
      );
    return fullest.pubkey;
  }

  private async refuseOtherMint(address: PublicKey): Promise<void> {
    const { value } = await this.rpc.ask((node) => node.getParsedAccountInfo(address));
    const data = value?.data;
    const found = data !== undefined && 'parsed' in data ? mintIn(data.parsed) : null;
    if (found !== this.state.mint.toBase58())
      throw new ChainError(
        'WRONG_MINT',
        `${address.toBase58()} holds ${found ?? 'no token'}, this network uses ${this.state.mint.toBase58()}.`,
        'Name an account of that token, or leave --source out.',
      );
  }
}

interface ParsedTokenAccount {
  readonly info?: { readonly mint?: string; readonly tokenAmount?: { readonly amount?: string } };
}

const heldIn = (parsed: unknown): bigint =>
  BigInt((parsed as ParsedTokenAccount).info?.tokenAmount?.amount ?? 0);

const mintIn = (parsed: unknown): string | null =>
  (parsed as ParsedTokenAccount).info?.mint ?? null;
