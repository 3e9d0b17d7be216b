import { readFileSync } from 'node:fs';
import anchor from '@coral-xyz/anchor';
import { getTransactionDecoder } from '@solana/kit';
import {
  ACCOUNT_SIZE,
  AccountLayout,
  createInitializeAccount3Instruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  MINT_SIZE,
  TOKEN_PROGRAM_ID,
} from '@solana/spl-token';
import {
  type AddressLookupTableAccount,
  Connection,
  Keypair,
  type PublicKey,
  SystemProgram,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { FailedTransactionMetadata, LiteSVM, type TransactionMetadata } from 'litesvm';
import { programFile } from '../program-file.js';
import { settlementProgram, type SettlementProgram } from '../program.js';
import { refusalOf } from '../refusal.js';
import { packed } from './transaction.js';

const MAX_TRANSACTION_BYTES = 1_232;

/** What came of a transaction. */
interface Outcome {
  readonly refusal: string | null;
  readonly logs: readonly string[];
  readonly computeUnits: number;
  readonly bytes: number;
}

/** The machine behind its wrapper, which spells each address in base58 and back; that takes longer than running the program. */
interface NativeMachine {
  sendLegacyTransaction(bytes: Uint8Array): TransactionMetadata | FailedTransactionMetadata;
  getAccount(address: Uint8Array): { data(): Uint8Array } | null;
}

/** The virtual machine of Solana in this process, with the built program. Nothing in it is a stand-in but the absence of blocks. */
export class TestChain {
  readonly svm = new LiteSVM();
  readonly program: SettlementProgram;
  readonly payer = Keypair.generate();

  private signs = true;

  /** With the committed program, or with the bytes of another one. */
  constructor(program: 'v3' | 'v0' | Uint8Array = 'v3') {
    const programId = Keypair.generate().publicKey;
    const bytes = typeof program === 'string' ? readFileSync(programFile(program)) : program;
    this.svm.addProgram(programId.toBase58() as never, bytes);
    // Instructions are built without asking anybody.
    this.program = settlementProgram(programId, new Connection('http://127.0.0.1:1'));
    this.fund(this.payer.publicKey);
  }

  /**
   * From now on a transaction says who signs it, and nobody signs: the program sees the same, and making and checking signatures takes
   * longer than all else. What the ed25519 program verifies is still verified.
   */
  trustSigners(): this {
    this.svm.withSigverify(false).withBlockhashCheck(false).withTransactionHistory(0n);
    this.signs = false;
    return this;
  }

  fund(key: PublicKey): void {
    this.svm.airdrop(key.toBase58() as never, 1_000_000_000_000n as never);
  }

  send(
    instructions: readonly TransactionInstruction[],
    signers: readonly Keypair[] = [],
    tables: AddressLookupTableAccount[] = [],
  ): Outcome {
    if (tables.length === 0) return this.sendFast(instructions, signers);
    const bytes = this.sign(instructions, signers, tables).serialize();
    return outcomeOf(this.svm.sendTransaction(getTransactionDecoder().decode(bytes)), bytes.length);
  }

  private sendFast(
    instructions: readonly TransactionInstruction[],
    signers: readonly Keypair[],
  ): Outcome {
    if (this.signs) this.svm.expireBlockhash();
    const blockhash = this.signs ? this.svm.latestBlockhash() : SystemProgram.programId.toBase58();
    const keys = [this.payer, ...signers] as const;
    const bytes = packed(instructions, keys, blockhash, this.signs);
    return outcomeOf(this.native.sendLegacyTransaction(bytes), bytes.length);
  }

  private get native(): NativeMachine {
    return (this.svm as unknown as { inner: NativeMachine }).inner;
  }

  private sign(
    instructions: readonly TransactionInstruction[],
    signers: readonly Keypair[],
    tables: AddressLookupTableAccount[] = [],
  ): VersionedTransaction {
    this.svm.expireBlockhash();
    const transaction = new VersionedTransaction(
      new TransactionMessage({
        payerKey: this.payer.publicKey,
        recentBlockhash: this.svm.latestBlockhash(),
        instructions: [...instructions],
      }).compileToV0Message(tables),
    );
    transaction.sign(
      [this.payer, ...new Set(signers)].filter((one, at, all) => all.indexOf(one) === at),
    );
    return transaction;
  }

  /** How long the transaction would be, or null when it is too long to be sent. */
  sizeOf(
    instructions: readonly TransactionInstruction[],
    tables: AddressLookupTableAccount[] = [],
  ): number | null {
    try {
      const { length } = this.sign(instructions, [], tables).serialize();
      return length <= MAX_TRANSACTION_BYTES ? length : null;
    } catch (error) {
      // The library has no room for more than a transaction may have.
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Sends what has to succeed. */
  must(instructions: readonly TransactionInstruction[], signers: readonly Keypair[] = []): Outcome {
    const outcome = this.send(instructions, signers);
    if (outcome.refusal !== null) {
      throw new Error(`${outcome.refusal}\n${outcome.logs.join('\n')}`);
    }
    return outcome;
  }

  events({ logs }: Outcome): { name: string; data: any }[] {
    const parser = new anchor.EventParser(this.program.programId, this.program.coder);
    return [...parser.parseLogs([...logs])];
  }

  slot(): bigint {
    return this.svm.getClock().slot;
  }

  pass(slots: bigint): void {
    this.svm.warpToSlot(this.slot() + slots);
  }

  mint(tokenProgram: PublicKey = TOKEN_PROGRAM_ID): PublicKey {
    const mint = Keypair.generate();
    this.must(
      [
        this.create(mint, MINT_SIZE, tokenProgram),
        createInitializeMint2Instruction(
          mint.publicKey,
          6,
          this.payer.publicKey,
          null,
          tokenProgram,
        ),
      ],
      [mint],
    );
    return mint.publicKey;
  }

  tokenAccount(
    mint: PublicKey,
    owner: PublicKey,
    amount = 0n,
    tokenProgram: PublicKey = TOKEN_PROGRAM_ID,
  ): PublicKey {
    const account = Keypair.generate();
    this.must(
      [
        this.create(account, ACCOUNT_SIZE, tokenProgram),
        createInitializeAccount3Instruction(account.publicKey, mint, owner, tokenProgram),
        createMintToInstruction(
          mint,
          account.publicKey,
          this.payer.publicKey,
          amount,
          [],
          tokenProgram,
        ),
      ],
      [account],
    );
    return account.publicKey;
  }

  /** Why a transaction would fail, or null; nothing is changed. */
  tryOut(
    instructions: readonly TransactionInstruction[],
    signers: readonly Keypair[],
  ): string | null {
    const bytes = this.sign(instructions, signers).serialize();
    const result = this.svm.simulateTransaction(getTransactionDecoder().decode(bytes));
    return result instanceof FailedTransactionMetadata ? result.toString() : null;
  }

  /** An account with the same data that another program owns, or null when there is none to copy. */
  copyUnder(account: PublicKey, owner: PublicKey): PublicKey | null {
    const found = this.svm.getAccount(account.toBase58() as never);
    if (!found.exists || found.executable || found.data.length === 0) return null;
    const copy = Keypair.generate().publicKey;
    this.svm.setAccount({
      ...found,
      address: copy.toBase58(),
      programAddress: owner.toBase58(),
    } as never);
    return copy;
  }

  /** Mints tokens to an account. */
  give(mint: PublicKey, account: PublicKey, amount: bigint): void {
    this.must([createMintToInstruction(mint, account, this.payer.publicKey, amount)]);
  }

  balance(account: PublicKey): bigint {
    return AccountLayout.decode(this.data(account)).amount;
  }

  data(account: PublicKey): Buffer {
    const found = this.native.getAccount(account.toBytes());
    if (found === null) throw new Error(`there is no account ${account.toBase58()}`);
    const data = found.data();
    return Buffer.from(data.buffer, data.byteOffset, data.length);
  }

  lamports(account: PublicKey): bigint {
    return this.svm.getBalance(account.toBase58() as never) ?? 0n;
  }

  create(account: Keypair, space: number, owner: PublicKey): TransactionInstruction {
    return SystemProgram.createAccount({
      fromPubkey: this.payer.publicKey,
      newAccountPubkey: account.publicKey,
      lamports: Number(this.svm.minimumBalanceForRentExemption(BigInt(space))),
      space,
      programId: owner,
    });
  }
}

function outcomeOf(
  result: TransactionMetadata | FailedTransactionMetadata,
  bytes: number,
): Outcome {
  const failed = result instanceof FailedTransactionMetadata;
  const meta = failed ? result.meta() : result;
  const logs = meta.logs();
  return {
    refusal: failed ? (refusalOf(logs)?.name ?? result.toString()) : null,
    logs,
    computeUnits: Number(meta.computeUnitsConsumed()),
    bytes,
  };
}
