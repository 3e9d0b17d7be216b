import anchor, { type Program } from '@coral-xyz/anchor';
import type { Connection, PublicKey } from '@solana/web3.js';
import { settlementIdl, type SettlementIdl } from './idl.js';

export type SettlementProgram = Program<SettlementIdl>;

/** Anchor's `Program` for the settlement program at an address: it builds instructions, reads accounts and events. */
export function settlementProgram(programId: PublicKey, connection: Connection): SettlementProgram {
  // Anchor's types ask for arrays that may change; nothing changes them.
  const idl = settlementIdl(programId.toBase58()) as SettlementIdl;
  return new anchor.Program(idl, { connection });
}
