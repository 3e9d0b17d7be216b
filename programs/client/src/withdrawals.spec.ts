import { Keypair } from '@solana/web3.js';
import { expect, test } from 'vitest';
import { TestNetwork, TIMES } from './testing/network.js';

async function opened(amount = 1_000n) {
  const network = await TestNetwork.open();
  const { key, tokens } = await network.submitter(amount);
  const request = async (asked: bigint) => {
    network.chain.must([await network.build.requestWithdrawal(key.publicKey, asked)], [key]);
  };
  const withdraw = async () =>
    network.chain.send([await network.withdrawal(0, key.publicKey, tokens)]).refusal;
  const withoutLeaf = async () => {
    const order = { submitter: key.publicKey, destination: tokens, leaf: null, proof: [] };
    return network.chain.send([await network.build.withdraw(order)]).refusal;
  };
  return { network, key, tokens, request, withdraw, withoutLeaf };
}

test('a withdrawal waits for a root that was sealed after it was asked for', async () => {
  const { network, tokens, request, withdraw } = await opened();
  network.settle();
  expect(await withdraw()).toBe('NothingRequested');
  network.chain.pass(1n);
  await request(300n);
  expect(await withdraw()).toBe('TooEarly');
  network.settle();
  expect(await withdraw()).toBeNull();
  expect(network.chain.balance(tokens)).toBe(300n);
  expect(await withdraw()).toBe('NothingRequested');
});

test('what is spent or held cannot be taken out, what was refunded can', async () => {
  const { network, tokens, request, withdraw } = await opened();
  network.worker();
  network.work(0, 0, 400n);
  network.slash(0, 0, 50n);
  network.change('submitters', 0, () => ({ held: 100n }));
  await request(10_000n);
  network.settle();
  expect(await withdraw()).toBeNull();
  expect(network.chain.balance(tokens)).toBe(550n);
  await request(1n);
  network.chain.pass(1n);
  network.settle();
  expect(await withdraw()).toBe('NothingToWithdraw');
});

test('a forged leaf, or none while roots come, is refused', async () => {
  const { network, key, tokens, request, withoutLeaf } = await opened();
  network.work(0, 0, 400n);
  await request(1_000n);
  network.settle();
  const [leaf] = network.posted.submitters;
  if (leaf === undefined) throw new Error('a leaf');
  const order = {
    submitter: key.publicKey,
    destination: tokens,
    proof: network.submitterTree().proof(0),
  };
  const forged = await network.build.withdraw({ ...order, leaf: { ...leaf, lifetimeSpent: 0n } });
  expect(network.chain.send([forged]).refusal).toBe('BadProof');
  expect(await withoutLeaf()).toBe('BadProof');
});

test('without a new root for long, held counts as zero and a newcomer needs no leaf', async () => {
  const { network, tokens, request, withdraw } = await opened();
  network.change('submitters', 0, () => ({ held: 1_000n }));
  network.settle();
  network.chain.pass(1n);
  const newcomer = await network.submitter(70n);
  const ask = await network.build.requestWithdrawal(newcomer.key.publicKey, 70n);
  network.chain.must([ask], [newcomer.key]);
  await request(1_000n);
  const leave = {
    submitter: newcomer.key.publicKey,
    destination: newcomer.tokens,
    leaf: null,
    proof: [],
  };
  expect(network.chain.send([await network.build.withdraw(leave)]).refusal).toBe('TooEarly');
  network.chain.pass(TIMES.staleSlots);
  network.chain.must([await network.build.withdraw(leave)]);
  expect(network.chain.balance(newcomer.tokens)).toBe(70n);
  expect(await withdraw()).toBeNull();
  expect(network.chain.balance(tokens)).toBe(1_000n);
});

test('a pause stops deposits, never a withdrawal (G11)', async () => {
  const { network, key, tokens, request, withdraw } = await opened();
  await request(400n);
  network.settle();
  const [guardian] = network.guardians;
  if (!guardian) throw new Error('a guardian');
  network.chain.must([await network.build.pause(guardian.publicKey)], [guardian]);
  expect(await withdraw()).toBeNull();
  const deposit = await network.build.deposit({
    depositor: key.publicKey,
    submitter: key.publicKey,
    source: tokens,
    amount: 1n,
  });
  expect(network.chain.send([deposit], [key]).refusal).toBe('Paused');
});

test('anybody deposits for a submitter; nothing, and what another owns, cannot be deposited', async () => {
  const { network, key, tokens } = await opened();
  const friend = Keypair.generate();
  network.chain.fund(friend.publicKey);
  const source = network.chain.tokenAccount(network.mint, friend.publicKey, 5n);
  const deposit = async (from: typeof source, amount: bigint) => {
    const order = { depositor: friend.publicKey, submitter: key.publicKey, source: from, amount };
    return network.chain.send([await network.build.deposit(order)], [friend]).refusal;
  };
  expect(await deposit(source, 5n)).toBeNull();
  expect(await deposit(source, 0n)).toBe('ZeroAmount');
  expect(await deposit(tokens, 1n)).toBe('WrongTokenAccount');
  expect(Number((await network.state()).deposited)).toBe(1_005);
});

test('tokens that a stranger sends to the vault disturb nothing (G8)', async () => {
  const { network, tokens, request, withdraw } = await opened();
  network.chain.give(network.mint, network.at.vault, 12_345n);
  await request(1_000n);
  network.settle();
  expect(await withdraw()).toBeNull();
  expect(network.chain.balance(tokens)).toBe(1_000n);
  expect(network.chain.balance(network.at.vault)).toBe(12_345n);
});
