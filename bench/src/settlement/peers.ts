import { createTransferInstruction } from '@solana/spl-token';
import { Keypair } from '@solana/web3.js';
import { TestChain } from '@tidemill/settlement-client/testing';
import { paid, type Payment } from './costs.js';

const CLAIM_STATUS_BYTES = 64;
const MOST_TRANSFERS = 40;

export interface Peers {
  /** As many plain transfers of the token program as fit in a transaction, signed by one who holds all the money. */
  readonly splTransfers: Payment;
  /**
   * A distributor that opens an account of 64 bytes for each claim: the rent and the units of opening it and of one transfer. Without
   * the proof and the distributor's own checks, so less than such a program takes.
   */
  readonly claimStatus: {
    readonly cu: number;
    readonly lamports: number;
    readonly rentLamports: number;
  };
  /** A distributor that marks claims in one account, a bit for each worker, and needs another one for each epoch: its rent alone. */
  readonly bitmap: { readonly rentPerWorkerLamports: number };
  readonly notRun: Readonly<Record<string, string>>;
}

/** The same payments by other means, in the same machine. */
export function measurePeers(workers: number): Peers {
  const chain = new TestChain();
  const mint = chain.mint();
  const source = chain.tokenAccount(mint, chain.payer.publicKey, 1_000_000n);
  const transfer = () =>
    createTransferInstruction(
      source,
      chain.tokenAccount(mint, Keypair.generate().publicKey),
      chain.payer.publicKey,
      1_000n,
    );
  const all = Array.from({ length: MOST_TRANSFERS }, transfer);
  let fitting = MOST_TRANSFERS;
  while (chain.sizeOf(all.slice(0, fitting)) === null) fitting -= 1;
  const sent = paid(chain, all.slice(0, fitting));

  const status = Keypair.generate();
  const opened = paid(
    chain,
    [chain.create(status, CLAIM_STATUS_BYTES, chain.program.programId), transfer()],
    [],
    [status],
  );
  const rent = (bytes: number) => Number(chain.svm.minimumBalanceForRentExemption(BigInt(bytes)));
  return {
    splTransfers: {
      cuPerWorker: sent.cu / fitting,
      lamportsPerWorker: sent.lamports / fitting,
      workersPerTransaction: fitting,
      bytes: sent.bytes,
    },
    claimStatus: {
      cu: opened.cu,
      lamports: opened.lamports,
      rentLamports: rent(CLAIM_STATUS_BYTES),
    },
    bitmap: { rentPerWorkerLamports: rent(Math.ceil(workers / 8)) / workers },
    notRun: {
      'Jito distributor, Helium lazy distributor': 'their built programs are not part of a package',
      'ZK compression': 'needs its own indexer and prover beside the chain',
    },
  };
}
