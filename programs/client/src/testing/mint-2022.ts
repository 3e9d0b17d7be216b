import {
  createInitializeMint2Instruction,
  createInitializeMintCloseAuthorityInstruction,
  createInitializeTransferFeeConfigInstruction,
  ExtensionType,
  getMintLen,
  MINT_SIZE,
  TOKEN_2022_PROGRAM_ID,
} from '@solana/spl-token';
import { Keypair, type TransactionInstruction } from '@solana/web3.js';
import { TestChain } from './chain.js';
import { TestNetwork } from './network.js';

interface MintExtension {
  readonly type: ExtensionType;
  readonly of: (mint: Keypair) => TransactionInstruction;
}

/** One hundredth of each transfer is kept back. */
export const TAKES_FEES: MintExtension = {
  type: ExtensionType.TransferFeeConfig,
  of: ({ publicKey }) =>
    createInitializeTransferFeeConfigInstruction(
      publicKey,
      null,
      null,
      100,
      1_000n,
      TOKEN_2022_PROGRAM_ID,
    ),
};

/** Somebody can close the mint, and make another one at its address. */
export const CAN_BE_CLOSED: MintExtension = {
  type: ExtensionType.MintCloseAuthority,
  of: ({ publicKey }) =>
    createInitializeMintCloseAuthorityInstruction(publicKey, publicKey, TOKEN_2022_PROGRAM_ID),
};

/** A network, not opened yet, over a Token-2022 mint with one extension, or none. */
export function over2022(
  extension?: MintExtension,
  chain = new TestChain(),
  cluster = 'test cluster',
): TestNetwork {
  const mint = Keypair.generate();
  const size = extension === undefined ? MINT_SIZE : getMintLen([extension.type]);
  chain.must(
    [
      chain.create(mint, size, TOKEN_2022_PROGRAM_ID),
      ...(extension === undefined ? [] : [extension.of(mint)]),
      createInitializeMint2Instruction(
        mint.publicKey,
        6,
        chain.payer.publicKey,
        null,
        TOKEN_2022_PROGRAM_ID,
      ),
    ],
    [mint],
  );
  return new TestNetwork({
    chain,
    cluster,
    mint: mint.publicKey,
    tokenProgram: TOKEN_2022_PROGRAM_ID,
  });
}
