import { EventEmitter } from 'node:events';
import {
  type Address,
  type EncodedAccount,
  getBase58Codec,
  type Lamports,
  lamports,
} from '@solana/kit';
import { FailedTransactionMetadata, LiteSVM, type TransactionMetadata } from 'litesvm';
import { type Executed, innerInstructions, returnData, type TransactionMeta } from './executed.js';
import { RPC, RpcError } from './rpc-error.js';
import { type SavedSlots, type SlotOptions, Slots } from './slots.js';
import { type Mint, mint, tokenAccount, uiAmount } from './token-accounts.js';
import {
  type TransactionError,
  transactionError,
  transactionErrorText,
} from './transaction-error.js';
import { WireTransaction } from './wire-transaction.js';

const base58 = getBase58Codec();
/** What the faucet has: the supply of a real cluster, so nobody can empty it by accident. */
const FAUCET_LAMPORTS = 500_000_000_000_000_000n;
/** Transactions that are remembered; older ones are unknown, as on a node that prunes its ledger. */
const KEPT_TRANSACTIONS = 20_000;

interface ProgramFile {
  readonly id: string;
  /** The compiled program, an SBF `.so`. */
  readonly path: string;
}

export interface ChainOptions extends Partial<SlotOptions> {
  /** Programs that are there from the beginning. */
  readonly programs?: readonly ProgramFile[];
  readonly saved?: SavedChain;
}

/** Everything a chain needs to go on where it was: the accounts, and what clients may still ask about. */
export interface SavedChain {
  readonly accounts: Uint8Array;
  readonly genesis: string;
  readonly slots: SavedSlots;
  readonly executed: readonly Executed[];
}

export interface Simulated {
  readonly err: TransactionError | null;
  readonly logs: readonly string[];
  readonly unitsConsumed: bigint;
  readonly returnData: object | null;
  readonly innerInstructions: readonly object[];
  readonly after: readonly EncodedAccount[];
}

interface ChainEvents {
  executed: [Executed];
  slot: [bigint];
}

interface Balances {
  readonly lamports: readonly bigint[];
  readonly tokens: readonly object[];
}

/**
 * A Solana chain in this process: LiteSVM executes, and this adds what a cluster has around it: slots, time, blockhashes that
 * run out, commitment, and a history. A transaction is executed when it arrives. There are no blocks, votes or forks.
 */
export class Chain extends EventEmitter<ChainEvents> {
  readonly genesis: string;
  readonly slots: Slots;
  private readonly svm: LiteSVM;
  private readonly executed = new Map<string, Executed>();
  private readonly byAddress = new Map<string, Executed[]>();

  constructor(options: ChainOptions = {}) {
    super();
    const { saved } = options;
    this.svm = saved === undefined ? new LiteSVM() : LiteSVM.fromBytes(saved.accounts);
    // LiteSVM knows the newest blockhash only; `Slots` checks them.
    this.svm.withBlockhashCheck(false).withTransactionHistory(BigInt(KEPT_TRANSACTIONS));
    if (saved === undefined) this.svm.withLamports(FAUCET_LAMPORTS);
    for (const { id, path } of options.programs ?? [])
      this.svm.addProgramFromFile(id as Address, path);
    this.genesis = saved?.genesis ?? this.svm.latestBlockhash();
    this.slots = new Slots(
      this.svm,
      {
        confirmSlots: options.confirmSlots ?? 0n,
        finalizeSlots: options.finalizeSlots ?? 0n,
        nowMs: options.nowMs ?? Date.now,
      },
      saved?.slots,
    );
    for (const one of saved?.executed ?? []) this.remember(one);
  }

  account = (address: string) => this.svm.getAccount(address as Address);

  programAccounts(program: string): EncodedAccount[] {
    return this.svm.getProgramAccounts(program as Address);
  }

  mint(address: string): Mint | null {
    const account = this.account(address);
    return account.exists ? mint(account) : null;
  }

  rentOf(bytes: bigint): bigint {
    return this.svm.minimumBalanceForRentExemption(bytes);
  }

  /** Overwrites an account, past every rule: for tests. */
  setAccount(account: EncodedAccount): void {
    this.svm.setAccount(account);
  }

  get transactionCount(): number {
    return this.executed.size;
  }

  /** What became of a transaction. */
  transaction(signature: string): Executed | undefined {
    return this.executed.get(signature);
  }

  /** Transactions that named an address, newest first. */
  history(address: string): readonly Executed[] {
    return [...(this.byAddress.get(address) ?? [])].reverse();
  }

  decode(text: string, encoding = 'base58'): WireTransaction {
    return WireTransaction.decode(text, encoding, this.account);
  }

  /** Moves to the next slot, or further and with more time than has passed. */
  tick(slots = 1n, seconds = 0n): void {
    this.slots.skip(slots, seconds);
    this.emit('slot', this.slots.now);
  }

  /** What would become of a transaction, without doing it. */
  simulate(wire: WireTransaction, { sigVerify = true, replaceBlockhash = false } = {}): Simulated {
    const nothing = {
      logs: [],
      unitsConsumed: 0n,
      returnData: null,
      innerInstructions: [],
      after: [],
    };
    if (!replaceBlockhash && !this.slots.isGood(wire.blockhash))
      return { ...nothing, err: 'BlockhashNotFound' };
    if (this.executed.has(wire.signature)) return { ...nothing, err: 'AlreadyProcessed' };
    this.svm.withSigverify(sigVerify);
    try {
      const result = this.svm.simulateTransaction(wire.transaction);
      const hasFailed = result instanceof FailedTransactionMetadata;
      const meta = result.meta();
      return {
        err: hasFailed ? transactionError(result.err()) : null,
        logs: meta.logs(),
        unitsConsumed: meta.computeUnitsConsumed(),
        returnData: returnData(meta),
        innerInstructions: innerInstructions(meta),
        after: hasFailed ? [] : result.postAccounts(),
      };
    } finally {
      this.svm.withSigverify(true);
    }
  }

  /** Takes a transaction and gives its signature. @throws RpcError when it is simulated first and that fails */
  send(wire: WireTransaction, { skipPreflight = false } = {}): string {
    const { signature } = wire;
    if (!skipPreflight) this.mustSimulate(wire);
    // A node that gets it twice or too late says nothing and drops it.
    else if (this.executed.has(signature) || !this.slots.isGood(wire.blockhash)) return signature;
    const before = this.balances(wire);
    const result = this.svm.sendTransaction(wire.transaction);
    const after = this.balances(wire);
    const hasFailed = result instanceof FailedTransactionMetadata;
    const fee = sum(before.lamports) - sum(after.lamports);
    // Without a fee no block would hold it.
    if (hasFailed && fee === 0n) return signature;
    const err = hasFailed ? transactionError(result.err()) : null;
    const meta = hasFailed ? result.meta() : result;
    this.remember(
      this.stamped(signature, meta, err, wire, metaOf(wire, meta, err, fee, before, after)),
    );
    return signature;
  }

  /** Gives lamports out of nothing. @throws RpcError when that fails */
  airdrop(address: string, amount: bigint): string {
    const give = () => this.svm.airdrop(address as Address, lamports(amount));
    let result = give();
    if (result instanceof FailedTransactionMetadata) {
      // The same amount to the same address in one slot is the same transaction.
      this.tick();
      result = give();
    }
    if (result === null || result instanceof FailedTransactionMetadata)
      throw new RpcError(RPC.internal, 'airdrop failed');
    const signature = base58.decode(result.signature());
    this.remember(this.stamped(signature, result, null, null, null));
    return signature;
  }

  save(): SavedChain {
    return {
      accounts: this.svm.toBytes(),
      genesis: this.genesis,
      slots: this.slots.save(),
      executed: [...this.executed.values()],
    };
  }

  private mustSimulate(wire: WireTransaction): void {
    const { err, after: _, ...data } = this.simulate(wire);
    if (err === null) return;
    if (err === 'SignatureFailure')
      throw new RpcError(RPC.signatureInvalid, 'Transaction signature verification failure');
    throw new RpcError(
      RPC.simulationFailed,
      `Transaction simulation failed: ${transactionErrorText(err)}`,
      { err, accounts: null, ...data },
    );
  }

  private stamped(
    signature: string,
    result: TransactionMetadata,
    err: TransactionError | null,
    wire: WireTransaction | null,
    meta: TransactionMeta | null,
  ): Executed {
    const { now, unixS } = this.slots;
    return { signature, slot: now, blockTimeS: unixS, err, logs: result.logs(), wire, meta };
  }

  private remember(one: Executed): void {
    this.executed.set(one.signature, one);
    for (const key of one.wire?.keys ?? []) {
      const list = this.byAddress.get(key);
      if (list === undefined) this.byAddress.set(key, [one]);
      else list.push(one);
    }
    if (this.executed.size > KEPT_TRANSACTIONS) this.forgetOldest();
    this.emit('executed', one);
  }

  private forgetOldest(): void {
    const [oldest] = this.executed.values();
    if (oldest === undefined) return;
    this.executed.delete(oldest.signature);
    for (const key of oldest.wire?.keys ?? []) {
      const list = this.byAddress.get(key);
      list?.shift();
      if (list?.length === 0) this.byAddress.delete(key);
    }
  }

  private balances({ keys }: WireTransaction): Balances {
    const accounts = keys.map((key) => this.account(key));
    return {
      lamports: accounts.map((account): Lamports | bigint =>
        account.exists ? account.lamports : 0n,
      ),
      tokens: accounts.flatMap((account, accountIndex) => {
        const token = account.exists ? tokenAccount(account) : null;
        const of = token === null ? null : this.mint(token.mint);
        if (token === null || of === null) return [];
        const { mint: mintAddress, owner, program: programId, amount } = token;
        return [
          {
            accountIndex,
            mint: mintAddress,
            owner,
            programId,
            uiTokenAmount: uiAmount(amount, of.decimals),
          },
        ];
      }),
    };
  }
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

function metaOf(
  wire: WireTransaction,
  result: TransactionMetadata,
  err: TransactionError | null,
  fee: bigint,
  before: Balances,
  after: Balances,
): TransactionMeta {
  const returned = returnData(result);
  return {
    err,
    status: err === null ? { Ok: null } : { Err: err },
    fee,
    preBalances: before.lamports,
    postBalances: after.lamports,
    preTokenBalances: before.tokens,
    postTokenBalances: after.tokens,
    innerInstructions: innerInstructions(result),
    logMessages: result.logs(),
    rewards: [],
    loadedAddresses: wire.loaded,
    computeUnitsConsumed: result.computeUnitsConsumed(),
    ...(returned === null ? {} : { returnData: returned }),
  };
}
