import { createHash } from 'node:crypto';
import { Keypair, PublicKey, SYSVAR_CLOCK_PUBKEY, TransactionInstruction } from '@solana/web3.js';
import { releasedTotalBytes } from '@tidemill/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { settlementIdl } from './idl.js';
import { REFUSALS } from './refusals.js';
import { signWith, TestNetwork, TIMES } from './testing/network.js';

/** An instruction that would succeed, what has to stand in front of it, and who signs. */
interface Valid {
  readonly before?: TransactionInstruction[];
  readonly instruction: TransactionInstruction;
  readonly signers: Keypair[];
}

let network: TestNetwork;
let other: TestNetwork;
let valid: Map<string, Valid>;
let substitutes: PublicKey[];
let watched: PublicKey[];
let counted = 0;
const mallory = Keypair.generate();

/** Slots where another signer is as good: anybody may pay for a page. */
const FREE = new Set(['addPage.payer']);

beforeAll(async () => {
  network = await TestNetwork.open();
  other = await TestNetwork.open(network.chain, 'another cluster');
  const { chain } = network;
  chain.fund(mallory.publicKey);
  valid = await validInstructions();
  const mallorysTokens = chain.tokenAccount(network.mint, mallory.publicKey, 1_000n);
  substitutes = [
    Keypair.generate().publicKey,
    mallory.publicKey,
    mallorysTokens,
    chain.tokenAccount(other.mint, mallory.publicKey, 1_000n),
    network.mint,
    chain.program.programId,
    SYSVAR_CLOCK_PUBKEY,
    other.address,
    other.at.vault,
    other.at.stakeVault,
    other.at.page(0),
    other.at.submitter(chain.payer.publicKey),
    other.at.stake(chain.payer.publicKey),
    network.address,
    network.at.vault,
    network.at.stakeVault,
    network.at.page(0),
    // Owned by the network's address and of its mint, but no vault.
    chain.tokenAccount(network.mint, network.address, 1_000_000n),
  ];
  watched = [...[network, other].flatMap(({ at }) => [at.vault, at.stakeVault]), mallorysTokens];
});

const LOOKALIKE = ['WrongAccount', 'WrongNetwork', 'WrongAddress'];

/** What a wrong account in a place may be refused for, beside a signature that is missing. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  // Where it is another real network, what is wrong are the things that belong to this one.
  network: [
    ...LOOKALIKE,
    ...['WrongTokenAccount', 'WrongStatement', 'NotAuthority', 'NotGuardian', 'NotAdmin'],
  ],
  vault: ['WrongAddress'],
  stakeVault: ['WrongAddress'],
  mint: ['MintRefused'],
  tokenProgram: ['WrongTokenProgram'],
  // The runtime finds no system program to call.
  systemProgram: ['the runtime'],
  instructions: ['WrongAddress'],
  submitterAccount: LOOKALIKE,
  stakeAccount: LOOKALIKE,
  page: LOOKALIKE,
  proposal: LOOKALIKE,
  source: ['WrongTokenAccount'],
  destination: ['WrongTokenAccount', 'WrongAddress'],
  initializer: ['WrongAddress'],
  depositor: ['WrongTokenAccount'],
  submitter: ['WrongAddress'],
  worker: ['WrongTokenAccount', 'WrongAddress'],
  authority: ['NotAuthority'],
  guardian: ['NotGuardian'],
  approver: ['NotAdmin'],
  proposer: ['NotAdmin', 'WrongAddress'],
};

function expectedAt(slot: { readonly name: string; readonly signer?: boolean }): readonly string[] {
  return [...(EXPECTED[slot.name] ?? []), ...(slot.signer === true ? ['MissingSignature'] : [])];
}

/** One of each instruction, all possible on the same chain at the same slot. */
async function validInstructions(): Promise<Map<string, Valid>> {
  const { chain, build } = network;
  const payer = chain.payer;
  for (const one of [network, other]) {
    const source = chain.tokenAccount(one.mint, payer.publicKey, 1_000n);
    const order = { depositor: payer.publicKey, submitter: payer.publicKey, source, amount: 500n };
    chain.must([
      await one.build.deposit(order),
      await one.build.stake(payer.publicKey, source, 300n),
    ]);
  }
  const { key, tokens } = await network.submitter(1_000n);
  const worker = network.worker();
  chain.fund(worker.key.publicKey);
  const stakeTokens = chain.tokenAccount(network.mint, worker.key.publicKey, 100n);
  chain.must([await build.stake(worker.key.publicKey, stakeTokens, 80n)], [worker.key]);
  chain.must([await build.requestUnstake(worker.key.publicKey, 30n)], [worker.key]);
  chain.must([await build.requestWithdrawal(key.publicKey, 100n)], [key]);
  network.work(0, 0, 200n, 20n);
  network.settle();
  chain.pass(TIMES.unbondingSlots);
  const treasury = chain.tokenAccount(network.mint, Keypair.generate().publicKey);
  const unpause = await network.approved({ kind: 'unpause' });
  const slash = await network.approved({ kind: 'slash', worker: worker.key.publicKey, amount: 5n });
  const fees = await network.approved({
    kind: 'treasury',
    source: 'fees',
    amount: 20n,
    destination: treasury,
  });
  chain.pass(TIMES.timelockSlots);
  const [proposer, approver] = network.admins;
  const [guardian] = network.guardians;
  if (!proposer || !approver || !guardian) throw new Error('admins and guardians');
  const next = fees + 1n;
  chain.must([await build.propose(proposer.publicKey, next, { kind: 'unpause' })], [proposer]);
  const { digest } = chain.program.coder.accounts.decode(
    'proposal',
    chain.data(network.at.proposal(next)),
  );
  const claim = await network.claim(0, worker.tokens);
  const withdraw = await network.withdrawal(0, key.publicKey, tokens);
  const batch = await build.claimBatch({
    start: 0,
    height: 0,
    page: 0,
    leaves: network.posted.workers.map((paid) => ({ paid })),
    proof: [],
    destinations: [worker.tokens],
  });
  // The other network has no root pending, so that one can be posted; this one has, so that it can be voided.
  const [verifyRoot, postRoot] = other.postInstructions(other.statement());
  network.post();
  const total = {
    network: network.address.toBytes(),
    program: chain.program.programId.toBytes(),
    epoch: 1n,
    index: 0,
    lifetimeEarned: 999n,
  };
  const [leaf] = network.posted.workers;
  const signed = signWith(network.releaser, releasedTotalBytes(total));
  const [verifyTotal, voidWithProof] = await build.voidRootWithProof(
    total,
    signed,
    { leaf: leaf ?? null, proof: [] },
    0,
  );
  if (!verifyRoot || !postRoot || !verifyTotal || !voidWithProof) throw new Error('two and two');
  const fresh = new TestNetwork({ chain, mint: network.mint, cluster: 'a third cluster' });
  const newcomer = Keypair.generate();
  const deposit = {
    depositor: payer.publicKey,
    submitter: newcomer.publicKey,
    source: chain.tokenAccount(network.mint, payer.publicKey, 10n),
    amount: 10n,
  };
  const staker = Keypair.generate();
  chain.fund(staker.publicKey);
  const stakerTokens = chain.tokenAccount(network.mint, staker.publicKey, 10n);
  const of = (instruction: TransactionInstruction, ...signers: Keypair[]) => ({
    instruction,
    signers,
  });
  return new Map<string, Valid>([
    ['initialize', of(await fresh.build.initialize(fresh.setup()), payer)],
    ['deposit', of(await build.deposit(deposit), payer)],
    ['requestWithdrawal', of(await build.requestWithdrawal(key.publicKey, 1n), key)],
    ['withdraw', of(withdraw)],
    ['addPage', of(await build.addPage(payer.publicKey, 1), payer)],
    ['postRoot', { before: [verifyRoot], ...of(postRoot, other.authority) }],
    ['voidRoot', of(await build.voidRoot(guardian.publicKey), guardian)],
    ['voidRootWithProof', { before: [verifyTotal], ...of(voidWithProof) }],
    ['claim', of(claim)],
    ['claimBatch', of(batch)],
    ['stake', of(await build.stake(staker.publicKey, stakerTokens, 10n), staker)],
    ['requestUnstake', of(await build.requestUnstake(worker.key.publicKey, 1n), worker.key)],
    ['withdrawStake', of(await build.withdrawStake(worker.key.publicKey, stakeTokens), worker.key)],
    [
      'propose',
      of(await build.propose(proposer.publicKey, next + 1n, { kind: 'unpause' }), proposer),
    ],
    [
      'approve',
      of(
        await build.approve(approver.publicKey, next, Uint8Array.from(digest as number[])),
        approver,
      ),
    ],
    ['execute', of(await build.execute(proposer.publicKey, unpause))],
    ['executeSlash', of(await build.executeSlash(proposer.publicKey, slash, worker.key.publicKey))],
    [
      'executeTreasury',
      of(
        await build.executeTreasury(proposer.publicKey, fees, {
          source: 'fees',
          destination: treasury,
        }),
      ),
    ],
    ['pause', of(await build.pause(guardian.publicKey), guardian)],
  ]);
}

const { instructions } = settlementIdl(PublicKey.default.toBase58());

describe.each(instructions.map(({ name }) => ({ name })))('$name', ({ name }) => {
  test('succeeds as it stands', () => {
    const one = validOf(name);
    const outcome = network.chain.tryOut([...(one.before ?? []), one.instruction], one.signers);
    expect(outcome).toBeNull();
  });

  test('refuses every substitute for each of its accounts, for the right reason, and changes nothing', () => {
    const one = validOf(name);
    const slots = instructions.find((described) => described.name === name)?.accounts ?? [];
    const wrong: string[] = [];
    const before = state();
    slots.forEach((slot, at) => {
      if (FREE.has(`${name}.${slot.name}`)) return;
      const tried = lookalikes(one.instruction, at).map((substitute) => {
        const refusal = refusalWith(one, at, substitute);
        if (refusal === null || !expectedAt(slot).includes(refusal))
          wrong.push(`${slot.name}: ${refusal ?? 'accepted'} with ${substitute.toBase58()}`);
        return refusal;
      });
      expect(tried.length).toBeGreaterThanOrEqual(8);
      counted += tried.length;
    });
    expect(wrong).toEqual([]);
    expect(state()).toBe(before);
  });
});

test('more than a thousand substitutes were refused', async ({ annotate }) => {
  expect(counted).toBeGreaterThan(1_000);
  await annotate(`${counted} wrong accounts refused, at least 8 for each place`, 'T10');
});

/** Sends an instruction with another account in one place. */
function refusalWith(one: Valid, at: number, substitute: PublicKey): string | null {
  const keys = one.instruction.keys.map((meta, place) => {
    if (place !== at) return meta;
    // Mallory can sign, the others cannot.
    return {
      ...meta,
      pubkey: substitute,
      isSigner: meta.isSigner && substitute.equals(mallory.publicKey),
    };
  });
  const changed = new TransactionInstruction({ ...one.instruction, keys });
  const needed = new Set(
    keys.filter((meta) => meta.isSigner).map(({ pubkey }) => pubkey.toBase58()),
  );
  const signers = [...one.signers, mallory].filter(({ publicKey }) =>
    needed.has(publicKey.toBase58()),
  );
  const { refusal } = network.chain.send([...(one.before ?? []), changed], signers);
  if (refusal === null) return null;
  return REFUSALS.some((known) => known.name === refusal) ? refusal : 'the runtime';
}

/** Every account of the program and every balance that could have moved. */
function state(): string {
  const { svm, program } = network.chain;
  const hash = createHash('sha256');
  const all = svm.getProgramAccounts(program.programId.toBase58() as never);
  for (const { address, data, lamports } of all.toSorted((a, b) =>
    a.address < b.address ? -1 : 1,
  ))
    hash.update(`${address} ${lamports}`).update(Uint8Array.from(data));
  for (const tokens of watched) hash.update(String(network.chain.balance(tokens)));
  return hash.digest('hex');
}

function validOf(name: string): Valid {
  const one = valid.get(name);
  if (one === undefined) throw new Error(`no valid ${name} to start from`);
  return one;
}

/** The substitutes, and the account itself with the same bytes but another owner. */
function lookalikes(instruction: TransactionInstruction, at: number): PublicKey[] {
  const original = instruction.keys[at];
  const copy =
    original === undefined ? null : network.chain.copyUnder(original.pubkey, mallory.publicKey);
  const all = [...substitutes, ...(copy === null ? [] : [copy])];
  return all.filter((substitute) => original?.pubkey.equals(substitute) === false);
}
