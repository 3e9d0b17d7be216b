import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createAssociatedTokenAccountIdempotentInstruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  getAssociatedTokenAddressSync,
  MINT_SIZE,
  TOKEN_PROGRAM_ID,
} from '@solana/spl-token';
import {
  Connection,
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  type TransactionInstruction,
} from '@solana/web3.js';
import { decodeBase58 } from '@tidemill/protocol';
import { createKeyFile } from '@tidemill/protocol/node';
import {
  networkAddress,
  SettlementAddresses,
  SettlementInstructions,
  settlementProgram,
} from '@tidemill/settlement-client';

const DECIMALS = 6;
const LAMPORTS = 100_000_000_000;
const COSIGNERS = ['cosigner-1', 'cosigner-2', 'cosigner-3'] as const;
const ADMINS = ['chain-admin-1', 'chain-admin-2', 'chain-admin-3'] as const;

/** Short enough for somebody who looks on: a challenge window of 10 slots, and ten minutes for admins to approve. A stake is bound for longer. */
const PARAMETERS = {
  challengeSlots: 10n,
  unbondingSlots: 1_520n,
  timelockSlots: 20n,
  approvalSlots: 1_500n,
  staleSlots: 100_000n,
  accountOpeningFee: 0n,
};

const CAPS = {
  windowSlots: 100n,
  growthLimit: 1_000_000_000_000n,
  relativeFloor: 1_000_000_000_000n,
  growthBps: 10_000n,
};

/** A network's account on the embedded chain, and the keys that rule it. Addresses are base58. */
export interface Settlement {
  readonly rpcUrl: string;
  /** Of the chain: nodes of another one are not talked to. */
  readonly genesisHash: string;
  readonly program: string;
  readonly network: string;
  readonly mint: string;
  /** Key files by what the key may do; each for its owner alone. */
  readonly keyFiles: {
    readonly authority: string;
    readonly releaser: string;
    readonly relayer: string;
    readonly guardian: string;
    readonly cosigners: readonly string[];
    readonly admins: readonly string[];
  };
  readonly cosigners: readonly string[];
  /** Gives a wallet SOL for fees and so many base units of the local token; the address of its token account. */
  fund(wallet: string, units: bigint): Promise<string>;
}

/** The key file of the address at which the program lies: a chain needs it before it starts. */
export function programAddress(dir: string): string {
  return keyOf(keyFile(dir, 'program')).publicKey.toBase58();
}

/** Makes the mint, the network's account and its first page on a chain, or finds those of an earlier start. */
export async function openSettlement(dir: string, rpcUrl: string): Promise<Settlement> {
  const connection = new Connection(rpcUrl, 'confirmed');
  const key = (name: string): Keypair => keyOf(keyFile(dir, name));
  const programId = key('program').publicKey;
  const [initializer, mint] = [key('initializer'), key('mint')];
  const genesis = await connection.getGenesisHash();
  const genesisHash = decodeBase58(genesis);
  if (genesisHash === null) throw new Error('the chain has no genesis hash');
  const network = networkAddress(programId, initializer.publicKey, genesisHash);
  const chain = new LocalChain(connection, initializer);

  for (const name of ['initializer', 'authority', 'relayer', 'guardian', ...ADMINS])
    await chain.airdrop(key(name).publicKey);
  if ((await connection.getAccountInfo(mint.publicKey)) === null) await chain.createMint(mint);
  if ((await connection.getAccountInfo(network)) === null) {
    const build = new SettlementInstructions(
      settlementProgram(programId, connection),
      new SettlementAddresses(programId, network),
    );
    const keys = (names: readonly string[]) => names.map((name) => key(name).publicKey);
    await chain.send([
      await build.initialize({
        initializer: initializer.publicKey,
        genesisHash,
        mint: mint.publicKey,
        authority: key('authority').publicKey,
        releaser: key('releaser').publicKey,
        cosigners: { threshold: 2, keys: keys(COSIGNERS) },
        admins: { threshold: 2, keys: keys(ADMINS) },
        guardians: { threshold: 1, keys: keys(['guardian']) },
        parameters: PARAMETERS,
        caps: CAPS,
      }),
      await build.addPage(initializer.publicKey, 0),
    ]);
  }
  const file = (name: string) => keyFile(dir, name);
  return {
    rpcUrl,
    genesisHash: genesis,
    program: programId.toBase58(),
    network: network.toBase58(),
    mint: mint.publicKey.toBase58(),
    keyFiles: {
      authority: file('authority'),
      releaser: file('releaser'),
      relayer: file('relayer'),
      guardian: file('guardian'),
      cosigners: COSIGNERS.map(file),
      admins: ADMINS.map(file),
    },
    cosigners: COSIGNERS.map((name) => key(name).publicKey.toBase58()),
    fund: (wallet, units) => chain.fund(new PublicKey(wallet), mint.publicKey, units),
  };
}

/** Sends what has to succeed; the initializer pays for it and may mint. */
class LocalChain {
  constructor(
    private readonly connection: Connection,
    private readonly payer: Keypair,
  ) {}

  async airdrop(to: PublicKey): Promise<void> {
    if ((await this.connection.getBalance(to)) >= LAMPORTS / 2) return;
    await this.confirmed(await this.connection.requestAirdrop(to, LAMPORTS));
  }

  async createMint(mint: Keypair): Promise<void> {
    const { connection, payer } = this;
    await this.send(
      [
        SystemProgram.createAccount({
          fromPubkey: payer.publicKey,
          newAccountPubkey: mint.publicKey,
          lamports: await connection.getMinimumBalanceForRentExemption(MINT_SIZE),
          space: MINT_SIZE,
          programId: TOKEN_PROGRAM_ID,
        }),
        createInitializeMint2Instruction(mint.publicKey, DECIMALS, payer.publicKey, null),
      ],
      [mint],
    );
  }

  async fund(wallet: PublicKey, mint: PublicKey, units: bigint): Promise<string> {
    const payer = this.payer.publicKey;
    const account = getAssociatedTokenAddressSync(mint, wallet);
    await this.airdrop(wallet);
    await this.send([
      createAssociatedTokenAccountIdempotentInstruction(payer, account, wallet, mint),
      ...(units > 0n ? [createMintToInstruction(mint, account, payer, units)] : []),
    ]);
    return account.toBase58();
  }

  async send(
    instructions: readonly TransactionInstruction[],
    signers: readonly Keypair[] = [],
  ): Promise<void> {
    const transaction = new Transaction().add(...instructions);
    transaction.feePayer = this.payer.publicKey;
    ({ blockhash: transaction.recentBlockhash } = await this.connection.getLatestBlockhash());
    transaction.sign(this.payer, ...signers);
    await this.confirmed(await this.connection.sendRawTransaction(transaction.serialize()));
  }

  private async confirmed(signature: string): Promise<void> {
    const deadline = performance.now() + CONFIRM_DEADLINE_MS;
    while (performance.now() < deadline) {
      const { value } = await this.connection.getSignatureStatuses([signature]);
      const status = value[0] ?? null;
      if (status?.err != null)
        throw new Error(`${signature} failed: ${JSON.stringify(status.err)}`);
      if (status?.confirmationStatus === 'finalized') return;
      await sleep(50);
    }
    throw new Error(`${signature} was not final within ${CONFIRM_DEADLINE_MS} ms`);
  }
}

const CONFIRM_DEADLINE_MS = 30_000;

const keyFile = (dir: string, name: string): string => join(dir, 'keys', `${name}.json`);

function keyOf(file: string): Keypair {
  if (!existsSync(file)) createKeyFile(file);
  return Keypair.fromSecretKey(
    Uint8Array.from(JSON.parse(readFileSync(file, 'utf8')) as readonly number[]),
  );
}
