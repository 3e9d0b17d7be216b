import { TOKEN_PROGRAM_ID } from '@solana/spl-token';
import {
  type AccountMeta,
  PublicKey,
  SystemProgram,
  SYSVAR_INSTRUCTIONS_PUBKEY,
  TransactionInstruction,
} from '@solana/web3.js';
import {
  paidTotalAt,
  releasedTotalBytes,
  rootStatementBytes,
  type ReleasedTotal,
  type RootStatement,
  type SubmitterLeaf,
  type WorkerLeaf,
} from '@tidemill/protocol';
import type { GovernedAction, KeySetArgs, NetworkCaps, NetworkParameters } from './action.js';
import { actionArgs } from './action.js';
import type { SettlementAddresses } from './addresses.js';
import { batchLeafArgs, type BatchClaim } from './batch.js';
import type { SettlementProgram } from './program.js';
import { type SignedBy, verifySignatures } from './signatures.js';
import { asWords, word } from './word.js';

/** What a network is opened with. */
export interface NetworkSetup {
  readonly initializer: PublicKey;
  readonly genesisHash: Uint8Array;
  readonly mint: PublicKey;
  readonly authority: PublicKey;
  readonly releaser: PublicKey;
  readonly cosigners: KeySetArgs;
  readonly admins: KeySetArgs;
  readonly guardians: KeySetArgs;
  readonly parameters: NetworkParameters;
  readonly caps: NetworkCaps;
}

/** Builds the program's instructions for one network. Amounts are base units; hashes are 32 bytes. */
export class SettlementInstructions {
  constructor(
    private readonly program: SettlementProgram,
    readonly addresses: SettlementAddresses,
    readonly tokenProgram: PublicKey = TOKEN_PROGRAM_ID,
  ) {}

  initialize(setup: NetworkSetup): Promise<TransactionInstruction> {
    return this.program.methods
      .initialize(
        [...setup.genesisHash],
        setup.authority,
        setup.releaser,
        setup.cosigners,
        setup.admins,
        setup.guardians,
        asWords(setup.parameters),
        asWords(setup.caps),
      )
      .accountsStrict({
        initializer: setup.initializer,
        mint: setup.mint,
        ...this.shared('network', 'vault', 'stakeVault', 'tokenProgram', 'systemProgram'),
      })
      .instruction();
  }

  /** Moves tokens of the depositor to the credit of a submitter. */
  deposit(order: {
    readonly depositor: PublicKey;
    readonly submitter: PublicKey;
    readonly source: PublicKey;
    readonly amount: bigint;
  }): Promise<TransactionInstruction> {
    return this.program.methods
      .deposit(word(order.amount))
      .accountsStrict({
        depositor: order.depositor,
        submitter: order.submitter,
        submitterAccount: this.addresses.submitter(order.submitter),
        source: order.source,
        ...this.shared('network', 'vault', 'tokenProgram', 'systemProgram'),
      })
      .instruction();
  }

  requestWithdrawal(submitter: PublicKey, amount: bigint): Promise<TransactionInstruction> {
    return this.program.methods
      .requestWithdrawal(word(amount))
      .accountsStrict({
        submitter,
        submitterAccount: this.addresses.submitter(submitter),
        ...this.shared('network'),
      })
      .instruction();
  }

  /** Without a leaf only for a submitter that came after the last root, when no root has come for long. */
  withdraw(order: {
    readonly submitter: PublicKey;
    readonly destination: PublicKey;
    readonly leaf: SubmitterLeaf | null;
    readonly proof: readonly Uint8Array[];
  }): Promise<TransactionInstruction> {
    const leaf = order.leaf && {
      index: order.leaf.index,
      lifetimeSpent: word(order.leaf.lifetimeSpent),
      lifetimeRefunded: word(order.leaf.lifetimeRefunded),
      held: word(order.leaf.held),
    };
    return this.program.methods
      .withdraw(leaf, hashes(order.proof))
      .accountsStrict({
        submitterAccount: this.addresses.submitter(order.submitter),
        destination: order.destination,
        ...this.shared('network', 'vault', 'tokenProgram'),
      })
      .instruction();
  }

  addPage(payer: PublicKey, number: number): Promise<TransactionInstruction> {
    return this.program.methods
      .addPage(number)
      .accountsStrict({
        payer,
        page: this.addresses.page(number),
        ...this.shared('network', 'systemProgram'),
      })
      .instruction();
  }

  /**
   * Two instructions that belong together: the first verifies the co-signers' signatures over the second's arguments. `before` is how
   * many instructions stand in front of them in the transaction.
   */
  postRoot(
    authority: PublicKey,
    statement: RootStatement,
    signed: readonly SignedBy[],
    before: number,
  ): TransactionInstruction[] {
    const bytes = rootStatementBytes(statement);
    const post = this.raw('postRoot', bytes, {
      authority,
      ...this.shared('network', 'vault', 'instructions'),
    });
    return [
      verifySignatures(signed, { instruction: before + 1, offset: 8, length: bytes.length }),
      post,
    ];
  }

  voidRoot(guardian: PublicKey): Promise<TransactionInstruction> {
    return this.program.methods
      .voidRoot()
      .accountsStrict({ guardian, ...this.shared('network') })
      .instruction();
  }

  /** Two instructions, as for `postRoot`. `leaf` is null when the root has nothing at the index. */
  async voidRootWithProof(
    released: ReleasedTotal,
    signed: SignedBy,
    posted: { readonly leaf: WorkerLeaf | null; readonly proof: readonly Uint8Array[] },
    before: number,
  ): Promise<TransactionInstruction[]> {
    const bytes = releasedTotalBytes(released);
    const leaf = posted.leaf && {
      payee: new PublicKey(posted.leaf.payee),
      lifetimeEarned: word(posted.leaf.lifetimeEarned),
      lifetimeSlashed: word(posted.leaf.lifetimeSlashed),
    };
    const instruction = await this.program.methods
      .voidRootWithProof(
        {
          tag: [...bytes.subarray(0, 26)],
          network: new PublicKey(released.network),
          program: new PublicKey(released.program),
          epoch: word(released.epoch),
          index: released.index,
          lifetimeEarned: word(released.lifetimeEarned),
        },
        leaf,
        hashes(posted.proof),
      )
      .accountsStrict(this.shared('network', 'instructions'))
      .instruction();
    const place = { instruction: before + 1, offset: 8, length: bytes.length };
    return [verifySignatures([signed], place), instruction];
  }

  /** Pays one worker. Anybody may send it. */
  claim(
    leaf: WorkerLeaf,
    proof: readonly Uint8Array[],
    destination: PublicKey,
  ): Promise<TransactionInstruction> {
    return this.program.methods
      .claim(
        leaf.index,
        new PublicKey(leaf.payee),
        word(leaf.lifetimeEarned),
        word(leaf.lifetimeSlashed),
        hashes(proof),
      )
      .accountsStrict({
        page: this.addresses.page(paidTotalAt(leaf.index).page),
        destination,
        ...this.shared('network', 'vault', 'tokenProgram'),
      })
      .instruction();
  }

  /** Pays the workers of a contiguous subtree, to a token account of each payee. Anybody may send it. */
  claimBatch(claim: BatchClaim): Promise<TransactionInstruction> {
    return this.program.methods
      .claimBatch(claim.start, claim.height, batchLeafArgs(claim), hashes(claim.proof))
      .accountsStrict({
        page: this.addresses.page(claim.page),
        ...this.shared('network', 'vault', 'tokenProgram'),
      })
      .remainingAccounts(
        claim.destinations.map((pubkey) => ({ pubkey, isSigner: false, isWritable: true })),
      )
      .instruction();
  }

  stake(worker: PublicKey, source: PublicKey, amount: bigint): Promise<TransactionInstruction> {
    return this.program.methods
      .stake(word(amount))
      .accountsStrict({
        worker,
        stakeAccount: this.addresses.stake(worker),
        source,
        ...this.shared('network', 'stakeVault', 'tokenProgram', 'systemProgram'),
      })
      .instruction();
  }

  requestUnstake(worker: PublicKey, amount: bigint): Promise<TransactionInstruction> {
    return this.program.methods
      .requestUnstake(word(amount))
      .accountsStrict({
        worker,
        stakeAccount: this.addresses.stake(worker),
        ...this.shared('network'),
      })
      .instruction();
  }

  withdrawStake(worker: PublicKey, destination: PublicKey): Promise<TransactionInstruction> {
    return this.program.methods
      .withdrawStake()
      .accountsStrict({
        worker,
        stakeAccount: this.addresses.stake(worker),
        destination,
        ...this.shared('network', 'stakeVault', 'tokenProgram'),
      })
      .instruction();
  }

  /** `number` is how many proposals there have been: the network's account says so. */
  propose(
    proposer: PublicKey,
    number: bigint,
    action: GovernedAction,
  ): Promise<TransactionInstruction> {
    return this.program.methods
      .propose(actionArgs(action))
      .accountsStrict({
        proposer,
        proposal: this.addresses.proposal(number),
        ...this.shared('network', 'systemProgram'),
      })
      .instruction();
  }

  approve(
    approver: PublicKey,
    number: bigint,
    digest: Uint8Array,
  ): Promise<TransactionInstruction> {
    return this.program.methods
      .approve([...digest])
      .accountsStrict({
        approver,
        proposal: this.addresses.proposal(number),
        ...this.shared('network'),
      })
      .instruction();
  }

  execute(proposer: PublicKey, number: bigint): Promise<TransactionInstruction> {
    return this.program.methods
      .execute()
      .accountsStrict({
        proposer,
        proposal: this.addresses.proposal(number),
        ...this.shared('network'),
      })
      .instruction();
  }

  executeSlash(
    proposer: PublicKey,
    number: bigint,
    worker: PublicKey,
  ): Promise<TransactionInstruction> {
    return this.program.methods
      .executeSlash()
      .accountsStrict({
        proposer,
        proposal: this.addresses.proposal(number),
        stakeAccount: this.addresses.stake(worker),
        ...this.shared('network', 'stakeVault'),
      })
      .instruction();
  }

  executeTreasury(
    proposer: PublicKey,
    number: bigint,
    payment: { readonly source: 'fees' | 'slashedStake'; readonly destination: PublicKey },
  ): Promise<TransactionInstruction> {
    const { vault, stakeVault } = this.addresses;
    return this.program.methods
      .executeTreasury()
      .accountsStrict({
        proposer,
        proposal: this.addresses.proposal(number),
        destination: payment.destination,
        ...this.shared('network', 'tokenProgram'),
        vault: payment.source === 'fees' ? vault : stakeVault,
      })
      .instruction();
  }

  pause(guardian: PublicKey): Promise<TransactionInstruction> {
    return this.program.methods
      .pause()
      .accountsStrict({ guardian, ...this.shared('network') })
      .instruction();
  }

  private shared<Name extends keyof Shared>(...names: Name[]): Pick<Shared, Name> {
    const all: Shared = {
      network: this.addresses.network,
      vault: this.addresses.vault,
      stakeVault: this.addresses.stakeVault,
      tokenProgram: this.tokenProgram,
      systemProgram: SystemProgram.programId,
      instructions: SYSVAR_INSTRUCTIONS_PUBKEY,
    };
    return Object.fromEntries(names.map((name) => [name, all[name]])) as Pick<Shared, Name>;
  }

  /** An instruction whose arguments are bytes that somebody has signed. */
  private raw(
    name: string,
    args: Uint8Array,
    accounts: Record<string, PublicKey>,
  ): TransactionInstruction {
    const described = this.program.idl.instructions.find((one) => one.name === name);
    if (described === undefined) throw new RangeError(`the program has no instruction ${name}`);
    const keys = described.accounts.map((slot): AccountMeta => {
      const pubkey = accounts[slot.name];
      if (pubkey === undefined) throw new RangeError(`${name} needs the account ${slot.name}`);
      return { pubkey, isSigner: 'signer' in slot, isWritable: 'writable' in slot };
    });
    const data = Buffer.concat([Buffer.from(described.discriminator), args]);
    return new TransactionInstruction({ programId: this.program.programId, keys, data });
  }
}

interface Shared {
  network: PublicKey;
  vault: PublicKey;
  stakeVault: PublicKey;
  tokenProgram: PublicKey;
  systemProgram: PublicKey;
  instructions: PublicKey;
}

const hashes = (proof: readonly Uint8Array[]): number[][] => proof.map((hash) => [...hash]);
