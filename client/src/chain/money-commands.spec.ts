import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keypair, PublicKey } from '@solana/web3.js';
import { freePort } from '@tidemill/localnet';
import { type RunningChain, startChain } from '@tidemill/localnet/chain';
import { openSettlement, programAddress, type Settlement } from '@tidemill/localnet/settlement';
import {
  bytesToHex,
  encodeBase58,
  rootStatementBytes,
  type RootStatement,
  SettlementTree,
  submitterLeafBytes,
  workerLeafBytes,
} from '@tidemill/protocol';
import { createKeyFile, loadSigner, nodeSha256, type Signer } from '@tidemill/protocol/node';
import { programFile } from '@tidemill/settlement-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SettlementOnChain } from './index.js';
import { cliCase } from '../testing/cli-case.js';
import type { Answer } from '../testing/fake-orchestrator.js';

const cli = cliCase();
const WORKER = 'wrk_01arz3ndektsv4rrffq69g5fav';
let dir: string;
let running: RunningChain;
let settlement: Settlement;
let chain: SettlementOnChain;
let wallet: Signer;
let payee: Signer;
const keyFile = (name: string) => join(dir, 'keys', `${name}.json`);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-money-'));
  const id = programAddress(dir);
  const programs = [{ id, path: programFile('v3') }];
  running = await startChain({ port: await freePort(), slotMs: 0, programs });
  settlement = await openSettlement(dir, running.rpcUrl);
  wallet = createKeyFile(keyFile('wallet'));
  payee = createKeyFile(keyFile('payee'));
  await settlement.fund(wallet.address, 100_000_000n);
  chain = await SettlementOnChain.open(place());
});
afterAll(async () => {
  await running.close();
  rmSync(dir, { recursive: true });
});

const place = () => ({
  rpcUrl: settlement.rpcUrl,
  program: settlement.program,
  network: settlement.network,
});
const env = (more: Record<string, string> = {}) => ({
  TIDEMILL_URL: cli.url || 'http://127.0.0.1:1',
  TIDEMILL_RPC_URL: settlement.rpcUrl,
  TIDEMILL_SETTLEMENT_NETWORK: settlement.network,
  TIDEMILL_SETTLEMENT_PROGRAM: settlement.program,
  ...more,
});

async function run(command: string, more: Record<string, string> = {}) {
  const { code, out, err } = await cli.tidemill(`${command} --json`, { env: env(more) });
  // The answer is JSON of the command, which the assertions below look into.
  const json = JSON.parse(out || err) as Record<string, any>;
  return { code, json: (json['error'] ?? json) as Record<string, any> };
}
const as = (name: string) => `--key ${keyFile(name)}`;
const pass = (slots: bigint) => running.call('tidemill_warp', [{ slots: Number(slots) }]);
const tokensOf = async (owner: Signer): Promise<string | undefined> => {
  const mint = new PublicKey(settlement.mint);
  const { value } = await chain.rpc.connection.getParsedTokenAccountsByOwner(
    new PublicKey(owner.publicKey),
    { mint },
  );
  return value[0]?.account.data.parsed.info.tokenAmount.amount as string | undefined;
};

const network = () => new PublicKey(settlement.network).toBytes();
const EARNED = 3_600_000n;
const SPENT = 4_000_000n;

/** One worker that earned and one submitter that spent, as an orchestrator shows them; `lie` changes a leaf. */
function shown(epoch: bigint, lie = 0n) {
  const worker = {
    index: 0,
    payee: payee.publicKey,
    lifetimeEarned: EARNED,
    lifetimeSlashed: 0n,
  };
  const submitter = {
    index: 0,
    submitter: wallet.publicKey,
    lifetimeSpent: SPENT,
    lifetimeRefunded: 0n,
    held: 0n,
  };
  const workers = new SettlementTree([nodeSha256(workerLeafBytes(network(), worker))], nodeSha256);
  const submitters = new SettlementTree(
    [nodeSha256(submitterLeafBytes(network(), submitter))],
    nodeSha256,
  );
  const workerLine = {
    index: 0,
    payee: payee.address,
    earned: String(EARNED + lie),
    slashed: '0',
  };
  const submitterLine = {
    index: 0,
    wallet: wallet.address,
    spent: String(SPENT),
    refunded: '0',
    held: '0',
  };
  const lines = (line: object): Answer => ({ bytes: Buffer.from(`${JSON.stringify(line)}\n`) });
  const routes = {
    [`GET /v1/epochs/${epoch}/leaves`]: ({ query }: { query: URLSearchParams }) =>
      lines(query.get('tree') === 'workers' ? workerLine : submitterLine),
    [`GET /v1/epochs/${epoch}/workers/${WORKER}`]: () => ({
      json: { ...workerLine, epoch: Number(epoch), path: [], root: bytesToHex(workers.root) },
    }),
    [`GET /v1/epochs/${epoch}/submitters/${wallet.address}`]: () => ({
      json: { ...submitterLine, epoch: Number(epoch), path: [], root: bytesToHex(submitters.root) },
    }),
  };
  return { routes, workers, submitters };
}

/** Posts a root that two co-signers attest, and lets its window pass. */
async function post(epoch: bigint): Promise<void> {
  const { workers, submitters } = shown(epoch);
  const statement: RootStatement = {
    network: network(),
    program: new PublicKey(settlement.program).toBytes(),
    epoch,
    sealedSlot: running.chain.slots.now,
    workerRoot: workers.root,
    workerDepth: workers.depth,
    submitterRoot: submitters.root,
    submitterDepth: submitters.depth,
    totals: {
      ...{ spent: SPENT, earned: EARNED, slashed: 0n, refunded: 0n },
      ...{ fees: SPENT - EARNED, feesGiven: 0n, dust: 0n },
    },
    trailRoot: new Uint8Array(32),
    trailSize: 1n,
    registryRoot: new Uint8Array(32),
  };
  const message = rootStatementBytes(statement);
  const signed = settlement.keyFiles.cosigners.slice(0, 2).map((file) => {
    const signer = loadSigner(file);
    return { publicKey: signer.publicKey, signature: signer.sign(message) };
  });
  const authority = loadSigner(settlement.keyFiles.authority);
  const key = new PublicKey(authority.publicKey);
  // The compute budget stands in front of the two.
  await chain.send(chain.build.postRoot(key, statement, signed, 1), authority);
  await pass(11n);
}

test('money goes the whole way by commands: deposited, claimed, verified, and the rest withdrawn (G8)', async () => {
  expect(await run(`deposit 10 ${as('wallet')}`)).toMatchObject({
    code: 0,
    json: { deposited: '10000000', submitter: wallet.address },
  });
  expect(await run(`withdraw ${as('wallet')}`)).toMatchObject({ code: 5 });
  expect(await run(`withdraw 20 ${as('wallet')}`)).toMatchObject({ code: 0 });
  expect((await run(`withdraw ${as('wallet')}`)).json['detail']).toContain('waits for an epoch');

  await cli.network(shown(1n).routes);
  expect((await run('verify payout')).json['detail']).toContain('No root is active');
  await pass(1n);
  await post(1n);
  expect(await run(`verify payout ${WORKER}`)).toMatchObject({
    code: 0,
    json: { isSound: true, epoch: 1, paid: '0', claimable: '3600000' },
  });
  expect(await run(`claim ${WORKER} ${as('wallet')}`)).toMatchObject({
    code: 0,
    json: { paid: '3600000', payee: payee.address },
  });
  expect(await tokensOf(payee)).toBe('3600000');
  expect(await run(`claim ${WORKER} ${as('wallet')}`)).toMatchObject({ json: { paid: '0' } });
  expect(await run(`verify payout ${payee.address}`)).toMatchObject({
    json: { isSound: true, paid: '3600000', claimable: '0' },
  });
  expect(await run(`withdraw ${as('wallet')}`)).toMatchObject({
    code: 0,
    json: { paid: '6000000' },
  });
  expect(await tokensOf(wallet)).toBe('96000000');
});

test('leaves that say something else than the chain are found, and a claim with them is refused', async () => {
  await cli.network(shown(1n, 1n).routes);
  const { code, json } = await run('verify payout');
  expect(code).toBe(1);
  const bad = (json['checks'] as { name: string; result: string }[]).filter(
    ({ result }) => result === 'bad',
  );
  expect(bad.map(({ name }) => name)).toEqual(['root of the workers', 'sum of what was earned']);
  const claim = await run(`claim ${WORKER} ${as('wallet')}`);
  expect(claim).toMatchObject({ code: 5, json: { code: 'REFUSED' } });
  expect(claim.json['detail']).toContain('BadProof');
});

test('a stake is bound, asked back, and free when its time is over', async () => {
  expect(await run(`stake 5 ${as('wallet')}`)).toMatchObject({ json: { staked: '5000000' } });
  expect(await run(`unstake ${as('wallet')}`)).toMatchObject({ code: 5 });
  expect(await run(`unstake 2 ${as('wallet')}`)).toMatchObject({
    json: { staked: '3000000', unbonding: '2000000' },
  });
  expect((await run(`unstake ${as('wallet')}`)).json['detail']).toContain('bound until slot');
  await pass(1_521n);
  expect(await run(`unstake ${as('wallet')}`)).toMatchObject({ json: { unbonding: '0' } });
});

test('admins see in words what is proposed, approve what they saw, and carry it out (G17)', async () => {
  const admin = loadSigner(settlement.keyFiles.admins[0] ?? '');
  await pass(1n);
  const proposer = new PublicKey(admin.publicKey);
  await chain.send([await chain.build.propose(proposer, 0n, { kind: 'unpause' })], admin);
  const guardian = loadSigner(settlement.keyFiles.guardian);
  await chain.send([await chain.build.pause(new PublicKey(guardian.publicKey))], guardian);
  expect((await run(`deposit 1 ${as('wallet')}`)).json['detail']).toContain('Paused');

  const { json } = await run('approve');
  expect(json['items']).toMatchObject([
    { number: 0, proposer: admin.address, approvals: 0, needed: 2 },
  ]);
  expect((json['items'] as { does: string }[])[0]?.does).toContain('lifts the pause');
  expect((await run(`approve 0 ${as('chain-admin-1')}`)).json['detail']).toContain('OwnProposal');
  for (const name of ['chain-admin-2', 'chain-admin-3'])
    expect(await run(`approve 0 ${as(name)}`)).toMatchObject({ code: 0 });
  expect((await run(`approve 0 --execute ${as('wallet')}`)).json['detail']).toContain('TooEarly');
  await pass(21n);
  expect(await run(`approve 0 --execute ${as('wallet')}`)).toMatchObject({ code: 0 });
  expect(await run(`deposit 1 ${as('wallet')}`)).toMatchObject({ code: 0 });
});

describe('what cannot be is said with the next step', () => {
  test('a wallet without tokens, or with too few', async () => {
    createKeyFile(keyFile('poor'));
    expect(await run(`deposit 1 ${as('poor')}`)).toMatchObject({
      code: 5,
      json: { code: 'NO_TOKEN_ACCOUNT' },
    });
    expect(await run(`deposit 1000 ${as('wallet')}`)).toMatchObject({
      json: { code: 'TOO_FEW_TOKENS' },
    });
  });

  test('a wallet without SOL', async () => {
    await cli.network(shown(1n).routes);
    const { json } = await run(`withdraw 1 ${as('poor')}`);
    expect(json).toMatchObject({ code: 'NO_SOL' });
  });

  test('an account of another token', async () => {
    const other = encodeBase58(Keypair.generate().publicKey.toBytes());
    expect(await run(`deposit 1 --source ${other} ${as('wallet')}`)).toMatchObject({
      json: { code: 'WRONG_MINT' },
    });
    for (const command of ['deposit', 'stake'])
      expect((await run(`${command} 1 --source nowhere ${as('wallet')}`)).json['detail']).toContain(
        'nowhere is not an address',
      );
  });

  test('a node that is away, and an address without a network', async () => {
    const away = { TIDEMILL_RPC_URL: 'http://127.0.0.1:1' };
    expect(await run(`deposit 1 ${as('wallet')}`, away)).toMatchObject({
      code: 4,
      json: { code: 'RPC_UNREACHABLE' },
    });
    const elsewhere = { TIDEMILL_SETTLEMENT_NETWORK: wallet.address };
    expect(await run(`deposit 1 ${as('wallet')}`, elsewhere)).toMatchObject({
      code: 5,
      json: { code: 'NO_NETWORK' },
    });
  });
});
