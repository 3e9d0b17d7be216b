import { ComputeBudgetProgram, TransactionInstruction } from '@solana/web3.js';

/** A claim with a proof of 24 levels, and what each further worker of a batch adds; measured, with a third to spare. */
const CLAIM_UNITS = 20_000;
const BATCH_UNITS = 2_000;

/**
 * What a claim loads: the settlement and token programs, the page, the vault and the token accounts. The default of 64 MiB costs 16,384
 * units of a block's room, this one a few.
 */
const LOADED_BYTES = 1_048_576;

const SET_LOADED_BYTES = 4;

/** The compute-budget instructions that belong in front of a claim of so many workers, set tightly: what is asked for is paid for. */
export function claimBudget(workers: number, microLamportsPerUnit = 0): TransactionInstruction[] {
  const units = ComputeBudgetProgram.setComputeUnitLimit({
    units: CLAIM_UNITS + BATCH_UNITS * (workers - 1),
  });
  const price = ComputeBudgetProgram.setComputeUnitPrice({ microLamports: microLamportsPerUnit });
  return [units, loadedBytes(LOADED_BYTES), ...(microLamportsPerUnit > 0 ? [price] : [])];
}

function loadedBytes(bytes: number): TransactionInstruction {
  const data = Buffer.alloc(5);
  data.writeUInt8(SET_LOADED_BYTES, 0);
  data.writeUInt32LE(bytes, 1);
  return new TransactionInstruction({ programId: ComputeBudgetProgram.programId, keys: [], data });
}
