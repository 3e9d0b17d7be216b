import { TOKEN_2022_PROGRAM_ID } from '@solana/spl-token';
import { Keypair } from '@solana/web3.js';
import { expect, test } from 'vitest';
import { batchClaim } from './batch.js';
import { CAN_BE_CLOSED, over2022, TAKES_FEES } from './testing/mint-2022.js';
import { TestNetwork, TIMES } from './testing/network.js';

const initializing = async (
  network: TestNetwork,
  changes: Parameters<TestNetwork['setup']>[0] = {},
) => network.chain.send([await network.build.initialize(network.setup(changes))]).refusal;

test('a network is opened once, with empty vaults', async () => {
  const network = new TestNetwork();
  expect(await initializing(network)).toBeNull();
  expect(network.chain.balance(network.at.vault)).toBe(0n);
  expect(network.chain.balance(network.at.stakeVault)).toBe(0n);
  expect(await initializing(network)).toBe('AlreadyExists');
});

test('lamports that somebody has sent to an address before do not stop it', async () => {
  const network = new TestNetwork();
  for (const address of [network.address, network.at.vault, network.at.stakeVault]) {
    network.chain.fund(address);
  }
  expect(await initializing(network)).toBeNull();
});

test('keys and parameters that make no sense are refused', async () => {
  const network = new TestNetwork();
  const own = network.setup();
  const [one] = own.cosigners.keys;
  if (one === undefined) throw new Error('a key');
  expect(await initializing(network, { cosigners: { threshold: 1, keys: [own.authority] } })).toBe(
    'BadKeySet',
  );
  expect(await initializing(network, { cosigners: { threshold: 0, keys: [one] } })).toBe(
    'BadKeySet',
  );
  expect(await initializing(network, { admins: { threshold: 1, keys: [one] } })).toBe('BadKeySet');
  const never = { ...TIMES, challengeSlots: 0n };
  expect(await initializing(network, { parameters: never })).toBe('BadParameters');
});

test('a Token-2022 mint without extensions works to the end', async () => {
  const network = over2022();
  const { chain } = network;
  expect(await initializing(network)).toBeNull();
  chain.must([await network.build.addPage(chain.payer.publicKey, 0)]);
  const worker = Keypair.generate();
  chain.fund(worker.publicKey);
  const tokens = chain.tokenAccount(network.mint, worker.publicKey, 9n, TOKEN_2022_PROGRAM_ID);
  chain.must([await network.build.stake(worker.publicKey, tokens, 9n)], [worker]);
  expect(chain.balance(network.at.stakeVault)).toBe(9n);
});

test('a batch of claims pays in Token-2022 as well, whose program takes one transfer a call', async () => {
  const network = over2022();
  const { chain } = network;
  expect(await initializing(network)).toBeNull();
  chain.must([await network.build.addPage(chain.payer.publicKey, 0)]);
  await network.submitter(1_000n);
  const workers = [network.worker(), network.worker(), network.worker()];
  for (const { index } of workers) network.work(0, index, 100n + BigInt(index));
  network.settle();
  const tokensOf = (index: number) => workers[index]?.tokens ?? null;
  const subtree = { start: 0, height: 2 };
  const claim = batchClaim(network.workerTree(), network.posted.workers, subtree, ({ index }) =>
    tokensOf(index),
  );
  if (claim === null) throw new Error('nobody to pay');
  for (let time = 0; time < 2; time += 1) {
    chain.must([await network.build.claimBatch(claim)]);
    expect(workers.map(({ tokens }) => chain.balance(tokens))).toEqual([100n, 101n, 102n]);
  }
});

test('a mint that takes fees, or that somebody can close, is refused', async () => {
  const fees = over2022(TAKES_FEES);
  expect(await initializing(fees)).toBe('MintRefused');
  const closing = over2022(CAN_BE_CLOSED);
  expect(await initializing(closing)).toBe('MintRefused');
});

test('a page is added once, and none beyond the largest tree', async () => {
  const network = await TestNetwork.open();
  const add = async (number: number) =>
    network.chain.send([await network.build.addPage(network.chain.payer.publicKey, number)])
      .refusal;
  expect(await add(0)).toBe('AlreadyExists');
  expect(await add(13_210)).toBeNull();
  expect(await add(13_211)).toBe('WrongPage');
});
