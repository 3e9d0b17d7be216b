import { setTimeout as sleep } from 'node:timers/promises';
import {
  ComputeBudgetProgram,
  Connection,
  PublicKey,
  SendTransactionError,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import type { Signer } from '@tidemill/protocol/node';
import { refusalOf } from '@tidemill/settlement-client';
import { ChainError } from './chain-error.js';

const DEADLINE_MS = 10_000;
const POLL_MS = 200;
/** Every instruction of the program takes less; what is not used is not paid for. */
const UNITS = 200_000;

/** A node behind Solana's JSON-RPC over HTTP, and one wallet that signs and pays. */
export class Rpc {
  readonly connection: Connection;

  constructor(readonly url: string) {
    this.connection = new Connection(url, {
      commitment: 'confirmed',
      disableRetryOnRateLimit: true,
      fetch: ((to: string, init?: RequestInit) =>
        fetch(to, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) })) as never,
    });
  }

  /** Asks the node. @throws ChainError RPC_UNREACHABLE */
  async ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await question(this.connection);
    } catch (cause) {
      if (cause instanceof SendTransactionError || cause instanceof ChainError) throw cause;
      const what = cause instanceof Error ? cause.message : String(cause);
      throw new ChainError(
        'RPC_UNREACHABLE',
        `${new URL(this.url).host} did not answer: ${what}`,
        'Name a node that answers with --rpc or TIDEMILL_RPC_URL.',
        { cause },
      );
    }
  }

  /**
   * Sends instructions that the wallet signs and pays for, and waits until they are final. Gives the signature.
   * @throws ChainError; after NOT_CONFIRMED it is safe to try again
   */
  async send(instructions: readonly TransactionInstruction[], wallet: Signer): Promise<string> {
    const payer = new PublicKey(wallet.publicKey);
    const { blockhash, lastValidBlockHeight } = await this.ask((node) =>
      node.getLatestBlockhash('confirmed'),
    );
    const transaction = new VersionedTransaction(
      new TransactionMessage({
        payerKey: payer,
        recentBlockhash: blockhash,
        instructions: [ComputeBudgetProgram.setComputeUnitLimit({ units: UNITS }), ...instructions],
      }).compileToV0Message(),
    );
    transaction.addSignature(payer, wallet.sign(transaction.message.serialize()));
    await this.refuseUnlessItWorks(transaction, payer);
    const signature = await this.ask((node) =>
      node.sendRawTransaction(transaction.serialize(), { skipPreflight: true, maxRetries: 5 }),
    );
    await this.finalized(signature, lastValidBlockHeight);
    return signature;
  }

  /** A simulation says why, where a transaction that failed only says that it did. */
  private async refuseUnlessItWorks(
    transaction: VersionedTransaction,
    payer: PublicKey,
  ): Promise<void> {
    const { value } = await this.ask((node) =>
      node.simulateTransaction(transaction, { sigVerify: false, commitment: 'confirmed' }),
    );
    if (value.err === null) return;
    const logs = value.logs ?? [];
    const refusal = refusalOf(logs);
    if (refusal !== null)
      throw new ChainError(
        'REFUSED',
        `The program refuses it (${refusal.name}): ${refusal.msg}.`,
        'Nothing was sent.',
      );
    const said = JSON.stringify(value.err);
    const balance = await this.ask((node) => node.getBalance(payer));
    if (/AccountNotFound|InsufficientFundsFor|insufficient lamports/.test(`${said} ${logs.join()}`))
      throw new ChainError(
        'NO_SOL',
        `${payer.toBase58()} has ${balance / 1e9} SOL, too little for the transaction and its rent.`,
        'Send it some SOL; nothing was sent.',
      );
    if (/insufficient funds/.test(logs.join()))
      throw new ChainError(
        'TOO_FEW_TOKENS',
        'The token account holds less than that.',
        'Put tokens in it, or name less; nothing was sent.',
      );
    throw new ChainError('REFUSED', `The chain refuses it: ${said}`, 'Nothing was sent.');
  }

  private async finalized(signature: string, lastValidBlockHeight: number): Promise<void> {
    for (;;) {
      // First, so that a status that is missing afterwards is missing for good.
      const height = await this.height(signature);
      const { value } = await this.unsure(signature, (node) =>
        node.getSignatureStatuses([signature], { searchTransactionHistory: true }),
      );
      const status = value[0] ?? null;
      if (status !== null && status.err !== null)
        throw new ChainError(
          'REFUSED',
          `${signature} failed on chain: ${JSON.stringify(status.err)}`,
          'Nothing was moved. Look at the present state and try again.',
        );
      if (status?.confirmationStatus === 'finalized') return;
      if (status === null && height > lastValidBlockHeight)
        throw new ChainError(
          'NOT_CONFIRMED',
          `${signature} did not make it into a block, and cannot any more.`,
          'Nothing was moved. It is safe to try again.',
        );
      await sleep(POLL_MS);
    }
  }

  private height(signature: string): Promise<number> {
    return this.unsure(signature, (node) => node.getBlockHeight('finalized'));
  }

  private async unsure<T>(
    signature: string,
    question: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    try {
      return await question(this.connection);
    } catch (cause) {
      throw new ChainError(
        'UNKNOWN',
        `${signature} was sent, and the node does not say what became of it.`,
        'Look it up before you try again.',
        { cause },
      );
    }
  }
}
