import {
  ACCOUNT_SIZE,
  AccountLayout,
  createInitializeAccount3Instruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  getAssociatedTokenAddressSync,
  MINT_SIZE,
  TOKEN_PROGRAM_ID,
} from '@solana/spl-token';
import {
  Keypair,
  PublicKey,
  SystemProgram,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import type { RunningChain } from '@tidemill/localnet/chain';
import { nodeSigner } from './node-signer.js';
import type { Signer } from '@tidemill/protocol/node';

const LAMPORTS = 10 ** 12;

/** A mint with somebody who has tokens of it, and the keys that every network of a test shares. */
export class TestTokens {
  readonly holder = nodeSigner();
  readonly cosigners = [nodeSigner(), nodeSigner(), nodeSigner()];
  readonly others = [
    Keypair.generate(),
    Keypair.generate(),
    Keypair.generate(),
    Keypair.generate(),
  ] as const;
  private readonly mintKey = nodeSigner();
  private readonly sourceKey = nodeSigner();

  constructor(private readonly running: RunningChain) {
    const { holder, mint, source } = this;
    const owner = new PublicKey(holder.publicKey);
    this.fund(owner);
    const create = (key: PublicKey, space: number) =>
      SystemProgram.createAccount({
        fromPubkey: owner,
        newAccountPubkey: key,
        lamports: Number(running.chain.rentOf(BigInt(space))),
        space,
        programId: TOKEN_PROGRAM_ID,
      });
    this.must(
      [
        create(mint, MINT_SIZE),
        createInitializeMint2Instruction(mint, 6, owner, null),
        create(source, ACCOUNT_SIZE),
        createInitializeAccount3Instruction(source, mint, owner),
        createMintToInstruction(mint, source, owner, 10n ** 15n),
      ],
      holder,
      this.mintKey,
      this.sourceKey,
    );
  }

  get mint(): PublicKey {
    return new PublicKey(this.mintKey.publicKey);
  }

  get source(): PublicKey {
    return new PublicKey(this.sourceKey.publicKey);
  }

  signer(): Signer {
    return nodeSigner();
  }

  fund(key: PublicKey): void {
    this.running.call('tidemill_setAccount', [
      key.toBase58(),
      { lamports: LAMPORTS, owner: SystemProgram.programId.toBase58() },
    ]);
  }

  /** Executes at once what has to succeed. */
  must(instructions: readonly TransactionInstruction[], ...signers: readonly Signer[]): void {
    const { chain } = this.running;
    const [payer] = signers;
    if (payer === undefined) throw new TypeError('nobody pays');
    chain.tick();
    const transaction = new VersionedTransaction(
      new TransactionMessage({
        payerKey: new PublicKey(payer.publicKey),
        recentBlockhash: chain.slots.blockhash,
        instructions: [...instructions],
      }).compileToV0Message(),
    );
    const message = transaction.message.serialize();
    for (const signer of signers)
      transaction.addSignature(new PublicKey(signer.publicKey), signer.sign(message));
    const wire = chain.decode(Buffer.from(transaction.serialize()).toString('base64'), 'base64');
    const signature = chain.send(wire, { skipPreflight: true });
    const done = chain.transaction(signature);
    if (done?.err !== null) throw new Error(`it failed: ${done?.logs.join('; ')}`);
  }

  /** What the owner has in its associated account; nothing without one. */
  balanceOf(owner: PublicKey): bigint {
    return this.amountIn(getAssociatedTokenAddressSync(this.mint, owner, true));
  }

  amountIn(account: PublicKey): bigint {
    const found = this.running.chain.account(account.toBase58());
    return found.exists ? AccountLayout.decode(found.data).amount : 0n;
  }
}
