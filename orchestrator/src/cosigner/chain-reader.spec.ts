import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection, Keypair, PublicKey, Transaction } from '@solana/web3.js';
import { freePort } from '@tidemill/localnet';
import { type RunningChain, startChain } from '@tidemill/localnet/chain';
import { openSettlement, programAddress, type Settlement } from '@tidemill/localnet/settlement';
import { createKeyFile } from '@tidemill/protocol/node';
import {
  programFile,
  SettlementAddresses,
  SettlementInstructions,
  settlementProgram,
} from '@tidemill/settlement-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChainReader } from './chain-reader.js';

let dir: string;
let running: RunningChain;
let settlement: Settlement;
let connection: Connection;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-chain-reader-'));
  const id = programAddress(dir);
  const programs = [{ id, path: programFile('v3') }];
  running = await startChain({ port: await freePort(), slotMs: 0, programs });
  settlement = await openSettlement(dir, running.rpcUrl);
  connection = new Connection(running.rpcUrl, 'finalized');
});
afterAll(async () => {
  await running.close();
  rmSync(dir, { recursive: true });
});

const bytes = (address: string) => new PublicKey(address).toBytes();
const readerAt = (network: string) =>
  new ChainReader(bytes(settlement.program), bytes(network), connection);

/** A wallet that deposits so much. */
async function depositor(amount: bigint): Promise<string> {
  const file = join(dir, `${amount}.json`);
  const { address } = createKeyFile(file);
  const source = new PublicKey(await settlement.fund(address, amount));
  const secret = JSON.parse(readFileSync(file, 'utf8')) as number[];
  const key = Keypair.fromSecretKey(Uint8Array.from(secret));
  const programId = new PublicKey(settlement.program);
  const build = new SettlementInstructions(
    settlementProgram(programId, connection),
    new SettlementAddresses(programId, new PublicKey(settlement.network)),
  );
  const order = { depositor: key.publicKey, submitter: key.publicKey, source, amount };
  const transaction = new Transaction().add(await build.deposit(order));
  transaction.feePayer = key.publicKey;
  ({ blockhash: transaction.recentBlockhash } = await connection.getLatestBlockhash());
  transaction.sign(key);
  const signature = await connection.sendRawTransaction(transaction.serialize());
  await expect
    .poll(async () => (await connection.getSignatureStatuses([signature])).value[0], {
      timeout: 20_000,
    })
    .toMatchObject({ err: null, confirmationStatus: 'finalized' });
  return address;
}

test('what the program knows is read from the chain alone: books, every submitter, and what was paid', async () => {
  const before = await readerAt(settlement.network).read(3_000);
  expect(before.totals).toEqual({ deposited: 0n, withdrawn: 0n, paid: 0n, feesWithdrawn: 0n });
  expect(before.submitters.size).toBe(0);
  const [alice, bob] = [await depositor(700n), await depositor(300n)];

  const found = await readerAt(settlement.network).read(3_000);
  expect(found.totals).toMatchObject({ deposited: 1_000n, withdrawn: 0n });
  expect(found.slot).toBe(running.chain.slots.now);
  expect(found.lastEpoch).toBe(0n);
  expect(found.submitters.get(alice)).toMatchObject({ deposited: 700n, withdrawn: 0n });
  expect(found.submitters.get(bob)?.deposited).toBe(300n);
  expect(found.submitters.get(bob)?.openedSlot).toBeLessThanOrEqual(found.slot);
  // The first page is there, the later ones are not yet.
  expect([found.paidOf(0), found.paidOf(2_999)]).toEqual([0n, 0n]);
});

test('a network that is there already is found by the next start, not made again', async () => {
  const { network, mint, program } = settlement;
  const again = await openSettlement(dir, running.rpcUrl);
  expect(again).toMatchObject({ network, mint, program });
});

test('an address that is no network of the program is an error, not an empty one', async () => {
  await expect(readerAt(settlement.mint).read(1)).rejects.toThrow('is not a network of');
});
