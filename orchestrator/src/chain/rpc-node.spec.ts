import { Keypair, PublicKey, SystemProgram } from '@solana/web3.js';
import { freePort } from '@tidemill/localnet';
import { type RunningChain, startChain } from '@tidemill/localnet/chain';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChainUnavailableError } from './chain-node.js';
import { RpcNode } from './rpc-node.js';
import { TestTokens } from './testing/test-tokens.js';

let running: RunningChain;
let tokens: TestTokens;
let node: RpcNode;

beforeAll(async () => {
  running = await startChain({ port: await freePort(), slotMs: 0 });
  tokens = new TestTokens(running);
  node = new RpcNode(running.rpcUrl);
});
afterAll(() => running.close());

test('a node over JSON-RPC says what the chain says', async () => {
  const to = Keypair.generate().publicKey;
  const from = new PublicKey(tokens.holder.publicKey);
  tokens.must(
    [SystemProgram.transfer({ fromPubkey: from, toPubkey: to, lamports: 5_000_000 })],
    tokens.holder,
  );
  expect(await node.genesisHash()).toBe(running.chain.genesis);
  expect(await node.finalizedSlot()).toBe(running.chain.slots.now);
  const [entry] = await node.history(to, null, 10);
  expect(entry).toMatchObject({ hasFailed: false, slot: running.chain.slots.now });
  const unknown = '5'.repeat(88);
  expect(await node.sightings([entry?.signature ?? '', unknown])).toEqual(['finalized', 'absent']);
  const executed = await node.executed(entry?.signature ?? '');
  expect(executed).toMatchObject([
    { place: '0', depth: 1, accounts: [from.toBase58(), to.toBase58()] },
  ]);
  const { data } = await node.accounts([tokens.mint, to]);
  expect(data.map((account) => account?.length)).toEqual([82, 0]);
  expect(await node.recentFees([to])).toEqual([]);
});

test('one that does not answer is unavailable, not a reason to do anything', async () => {
  const nobody = new RpcNode(`http://127.0.0.1:${await freePort()}`);
  await expect(nobody.finalizedHeight()).rejects.toBeInstanceOf(ChainUnavailableError);
});
