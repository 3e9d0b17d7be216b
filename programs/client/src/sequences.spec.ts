import { type Keypair, type PublicKey, type TransactionInstruction } from '@solana/web3.js';
import { expect, test } from 'vitest';
import { TestNetwork } from './testing/network.js';

const ACTORS = 4;
const STEPS = 40;

/** A small seeded generator (mulberry32): the same sequence on every machine. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What the vaults and the books say, read from the chain (G8). */
async function expectConserved(network: TestNetwork, owners: readonly PublicKey[], supply: bigint) {
  const { chain, at } = network;
  const state = await network.state();
  const number = (name: string) => BigInt(state[name].toString());
  const vault = chain.balance(at.vault);
  const stakes = chain.balance(at.stakeVault);
  expect(vault).toBe(
    number('deposited') - number('withdrawn') - number('paid') - number('feesWithdrawn'),
  );
  expect(stakes).toBe(number('staked') + number('unbonding') + number('slashedStake'));
  const page = chain.data(at.page(0));
  let paid = 0n;
  for (let place = 80; place < page.length; place += 8) paid += page.readBigUInt64LE(place);
  expect(paid).toBe(number('paid'));
  const outside = owners.reduce((sum, owner) => sum + chain.balance(owner), 0n);
  expect(outside + vault + stakes).toBe(supply);
}

test.each([1, 2, 3])('random instructions conserve every token, sequence %i (G8)', async (seed) => {
  const draw = draws(seed);
  const network = await TestNetwork.open();
  const { chain, build } = network;
  const submitters: { key: Keypair; tokens: PublicKey }[] = [];
  const workers: { key: Keypair; tokens: PublicKey; index: number }[] = [];
  for (let at = 0; at < ACTORS; at += 1) {
    submitters.push(await network.submitter(100_000n));
    const worker = network.worker();
    chain.fund(worker.key.publicKey);
    chain.give(network.mint, worker.tokens, 10_000n);
    workers.push(worker);
  }
  const owners = [...submitters, ...workers].map(({ tokens }) => tokens);
  const supply = BigInt(ACTORS) * 110_000n;
  const pick = <Of>(of: readonly Of[]): Of => {
    const one = of[draw(of.length)];
    if (one === undefined) throw new RangeError('nothing to pick from');
    return one;
  };
  const amount = () => BigInt(draw(5_000));
  const tally = { done: 0, refused: 0 };
  const attempt = (instruction: TransactionInstruction, ...signers: Keypair[]) => {
    if (chain.send([instruction], signers).refusal === null) tally.done += 1;
    else tally.refused += 1;
  };
  const actions: (() => Promise<void> | void)[] = [
    async () => {
      const { key, tokens } = pick(submitters);
      const order = { depositor: key.publicKey, submitter: key.publicKey, source: tokens };
      attempt(await build.deposit({ ...order, amount: amount() }), key);
    },
    async () => {
      const { key } = pick(submitters);
      attempt(await build.requestWithdrawal(key.publicKey, amount()), key);
    },
    async () => {
      if (network.posted.submitters.length === 0) return;
      const at = draw(ACTORS);
      const { key } = submitters[at] ?? pick(submitters);
      attempt(await network.withdrawal(at, key.publicKey, pick(submitters).tokens));
      attempt(
        await network.withdrawal(at, key.publicKey, (submitters[at] ?? pick(submitters)).tokens),
      );
    },
    () => network.work(draw(ACTORS), draw(ACTORS), BigInt(draw(200)) + 20n, BigInt(draw(20))),
    () => {
      const statement = network.statement();
      if (chain.send(network.postInstructions(statement), [network.authority]).refusal !== null)
        return;
      network.epoch += 1n;
      network.posted = { workers: [...network.workers], submitters: [...network.submitters] };
      tally.done += 1;
    },
    async () => {
      if (network.posted.workers.length === 0) return;
      const { index } = pick(workers);
      attempt(await network.claim(index, pick(workers).tokens));
      attempt(await network.claim(index, (workers[index] ?? pick(workers)).tokens));
    },
    async () => {
      const { key, tokens } = pick(workers);
      attempt(await build.stake(key.publicKey, tokens, amount()), key);
    },
    async () => {
      const { key } = pick(workers);
      attempt(await build.requestUnstake(key.publicKey, amount()), key);
    },
    async () => {
      const { key, tokens } = pick(workers);
      attempt(await build.withdrawStake(key.publicKey, tokens), key);
    },
    () => chain.pass(BigInt(draw(30))),
  ];
  for (let step = 0; step < STEPS; step += 1) {
    await pick(actions)();
    await expectConserved(network, owners, supply);
  }
  // A sequence of refusals, or of nothing but success, would show little.
  expect(tally.done).toBeGreaterThan(8);
  expect(tally.refused).toBeGreaterThan(2);
});
