import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMint,
  getAccount,
  getOrCreateAssociatedTokenAccount,
  mintTo,
  transfer,
} from '@solana/spl-token';
import {
  AddressLookupTableProgram,
  Connection,
  Ed25519Program,
  Keypair,
  LAMPORTS_PER_SOL,
  sendAndConfirmTransaction,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../free-port.js';
import { ChainFile } from './chain-file.js';
import { type RunningChain, startChain, type StartChainOptions } from './start-chain.js';

let running: RunningChain;
let connection: Connection;
let payer: Keypair;
let dir: string;

async function start(options: Partial<StartChainOptions> = {}): Promise<void> {
  running = await startChain({ port: await freePort(), slotMs: 0, ...options });
  const { rpcUrl, wsUrl } = running;
  connection = new Connection(rpcUrl, { commitment: 'confirmed', wsEndpoint: wsUrl });
}

/** web3.js keeps its socket open for ever, and dials again when it goes. */
function disconnect(): Promise<void> {
  const { _rpcWebSocket: socket } = connection as unknown as {
    _rpcWebSocket: { close(): void; reconnect: boolean };
  };
  socket.reconnect = false;
  socket.close();
  return running.close();
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-chain-'));
  await start();
  payer = Keypair.generate();
  await connection.requestAirdrop(payer.publicKey, 10 * LAMPORTS_PER_SOL);
});
afterEach(async () => {
  await disconnect();
  rmSync(dir, { recursive: true });
});

async function aTransfer(lamports: number, to = Keypair.generate().publicKey) {
  const latest = await connection.getLatestBlockhash();
  const transaction = new Transaction({ feePayer: payer.publicKey, ...latest }).add(
    SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports }),
  );
  transaction.sign(payer);
  return { bytes: transaction.serialize(), to, ...latest };
}

describe('clients that know nothing of this chain', () => {
  test('send, hear of the confirmation by a subscription, and read what happened', async () => {
    const { bytes, to, ...latest } = await aTransfer(LAMPORTS_PER_SOL);
    const signature = await connection.sendRawTransaction(bytes);
    const { value } = await connection.confirmTransaction({ signature, ...latest });
    expect(value.err).toBeNull();
    expect(await connection.getBalance(to)).toBe(LAMPORTS_PER_SOL);
    const read = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
    expect(read?.meta).toMatchObject({ fee: 5_000, err: null });
    const [newest] = await connection.getSignaturesForAddress(to);
    expect(newest?.signature).toBe(signature);
  });

  test('make a token, pay with it and find its accounts', async () => {
    const mint = await createMint(connection, payer, payer.publicKey, null, 6);
    const mine = await getOrCreateAssociatedTokenAccount(connection, payer, mint, payer.publicKey);
    const other = Keypair.generate().publicKey;
    const theirs = await getOrCreateAssociatedTokenAccount(connection, payer, mint, other);
    await mintTo(connection, payer, mint, mine.address, payer, 18_446_744_073_709_551_615n);
    await transfer(connection, payer, mine.address, theirs.address, payer, 250n);
    expect((await getAccount(connection, theirs.address)).amount).toBe(250n);
    const { value } = await connection.getParsedTokenAccountsByOwner(other, { mint });
    expect(value[0]?.account.data.parsed.info.tokenAmount).toEqual({
      amount: '250',
      decimals: 6,
      uiAmount: 0.00025,
      uiAmountString: '0.00025',
    });
    const supply = await connection.getTokenSupply(mint);
    expect(supply.value.amount).toBe('18446744073709551615');
  });

  test('use a lookup table', async () => {
    running.call('tidemill_warp', [{ slots: 3 }]);
    const slot = await connection.getSlot();
    const [make, table] = AddressLookupTableProgram.createLookupTable({
      authority: payer.publicKey,
      payer: payer.publicKey,
      recentSlot: slot - 1,
    });
    const to = Keypair.generate().publicKey;
    const extend = AddressLookupTableProgram.extendLookupTable({
      payer: payer.publicKey,
      authority: payer.publicKey,
      lookupTable: table,
      addresses: [to],
    });
    await sendAndConfirmTransaction(connection, new Transaction().add(make, extend), [payer]);
    running.call('tidemill_warp', [{}]);
    const { value } = await connection.getAddressLookupTable(table);
    const latest = await connection.getLatestBlockhash();
    const message = new TransactionMessage({
      payerKey: payer.publicKey,
      recentBlockhash: latest.blockhash,
      instructions: [
        SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports: 1e9 }),
      ],
    }).compileToV0Message(value === null ? [] : [value]);
    const transaction = new VersionedTransaction(message);
    transaction.sign([payer]);
    const signature = await connection.sendTransaction(transaction);
    const read = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
    expect(read?.meta?.loadedAddresses?.writable.map(String)).toEqual([to.toBase58()]);
    expect(await connection.getBalance(to)).toBe(1e9);
  });

  test('have signatures checked by the precompile', async () => {
    const sound = Ed25519Program.createInstructionWithPrivateKey({
      privateKey: payer.secretKey,
      message: Buffer.from('a receipt'),
    });
    await sendAndConfirmTransaction(connection, new Transaction().add(sound), [payer]);
    const forged = Ed25519Program.createInstructionWithPrivateKey({
      privateKey: payer.secretKey,
      message: Buffer.from('a receipt'),
    });
    forged.data.writeUInt8((forged.data.at(-1) ?? 0) ^ 1, forged.data.length - 1);
    await expect(
      sendAndConfirmTransaction(connection, new Transaction().add(forged), [payer]),
    ).rejects.toThrow(/custom program error/);
  });

  test('are told of accounts and logs as they change', async () => {
    const heard = new Set<string>();
    const to = Keypair.generate().publicKey;
    connection.onAccountChange(to, ({ lamports }) => heard.add(`holds ${lamports > 0}`));
    connection.onLogs(payer.publicKey, ({ err }) => heard.add(err === null ? 'logs' : 'a fault'));
    // Subscriptions travel on a socket of their own and may come after a transfer.
    let lamports = 1_000_000;
    await expect
      .poll(async () => {
        await connection.sendRawTransaction((await aTransfer((lamports += 1), to)).bytes);
        return [...heard].sort();
      })
      .toEqual(['holds true', 'logs']);
  });
});

describe('what a cluster refuses is refused in its words', () => {
  test('a transfer of more than there is, before it costs anything', async () => {
    const { bytes } = await aTransfer(1_000 * LAMPORTS_PER_SOL);
    await expect(connection.sendRawTransaction(bytes)).rejects.toThrow(/custom program error: 0x1/);
    expect(await connection.getBalance(payer.publicKey)).toBe(10 * LAMPORTS_PER_SOL);
  });

  test('the same without a preflight costs the fee and is found as failed', async () => {
    const { bytes } = await aTransfer(1_000 * LAMPORTS_PER_SOL);
    const signature = await connection.sendRawTransaction(bytes, { skipPreflight: true });
    const { value } = await connection.getSignatureStatuses([signature]);
    expect(value[0]?.err).toEqual({ InstructionError: [0, { Custom: 1 }] });
    expect(await connection.getBalance(payer.publicKey)).toBe(10 * LAMPORTS_PER_SOL - 5_000);
  });

  test('a signature that is not the payer’s', async () => {
    const { bytes } = await aTransfer(1);
    bytes.writeUInt8((bytes[5] ?? 0) ^ 1, 5);
    await expect(connection.sendRawTransaction(bytes)).rejects.toThrow(
      /signature verification failure/,
    );
  });

  test('a blockhash that ran out, and nothing happens when it is sent all the same', async () => {
    const { bytes, to } = await aTransfer(LAMPORTS_PER_SOL);
    running.call('tidemill_warp', [{ slots: 151 }]);
    expect((await connection.isBlockhashValid('11111111111111111111111111111111')).value).toBe(
      false,
    );
    await expect(connection.sendRawTransaction(bytes)).rejects.toThrow(/[Bb]lockhash/);
    const signature = await connection.sendRawTransaction(bytes, { skipPreflight: true });
    expect((await connection.getSignatureStatuses([signature])).value).toEqual([null]);
    expect(await connection.getBalance(to)).toBe(0);
  });

  test('a transaction a second time: it counts once', async () => {
    const { bytes, to } = await aTransfer(LAMPORTS_PER_SOL);
    const signature = await connection.sendRawTransaction(bytes);
    await expect(connection.sendRawTransaction(bytes)).rejects.toThrow(/already been processed/);
    expect(await connection.sendRawTransaction(bytes, { skipPreflight: true })).toBe(signature);
    expect(await connection.getBalance(to)).toBe(LAMPORTS_PER_SOL);
  });

  test.each([
    ['{', -32700],
    ['{"jsonrpc":"2.0","id":1,"method":"constructor","params":[]}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["!"]}', -32602],
    [
      '{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["AAAA",{"encoding":"base64"}]}',
      -32602,
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["short"]}', -32602],
  ])('%s', async (body, code) => {
    const response = await fetch(running.rpcUrl, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});

test('confirmation takes as many slots as it was told to', async () => {
  await disconnect();
  await start({ confirmSlots: 1n, finalizeSlots: 32n });
  await connection.requestAirdrop(payer.publicKey, LAMPORTS_PER_SOL);
  const { bytes } = await aTransfer(1e6);
  const signature = await connection.sendRawTransaction(bytes);
  const level = async () =>
    (await connection.getSignatureStatuses([signature])).value[0]?.confirmationStatus;
  expect(await level()).toBe('processed');
  expect(
    await connection.getTransaction(signature, {
      commitment: 'finalized',
      maxSupportedTransactionVersion: 0,
    }),
  ).toBeNull();
  running.call('tidemill_warp', [{}]);
  expect(await level()).toBe('confirmed');
  running.call('tidemill_warp', [{ slots: 31 }]);
  expect(await level()).toBe('finalized');
});

test('a chain that is kept goes on where it was: balances, history, blockhashes, and nothing twice', async () => {
  await disconnect();
  await start({ dir });
  await connection.requestAirdrop(payer.publicKey, LAMPORTS_PER_SOL);
  const first = await aTransfer(1e6);
  const later = await aTransfer(2e6, first.to);
  const signature = await connection.sendRawTransaction(first.bytes);
  const genesis = await connection.getGenesisHash();
  const slot = await connection.getSlot();
  await disconnect();

  await start({ dir });
  expect(await connection.getGenesisHash()).toBe(genesis);
  expect(await connection.getSlot()).toBeGreaterThan(slot);
  expect(await connection.getBalance(first.to)).toBe(1e6);
  const [found] = await connection.getSignaturesForAddress(first.to);
  expect(found?.signature).toBe(signature);
  await expect(connection.sendRawTransaction(first.bytes)).rejects.toThrow(/already/);
  await connection.sendRawTransaction(later.bytes);
  expect(await connection.getBalance(first.to)).toBe(3e6);
});

test('slots that pass without a transaction are kept as well, and so is their time', async () => {
  await disconnect();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    await start({ dir });
    running.call('tidemill_warp', [{ slots: 50 }]);
    const slot = running.chain.slots.now;
    vi.advanceTimersByTime(5_000);
    // As after a crash: nobody has closed the chain that wrote the file.
    const saved = new ChainFile(dir).read();
    expect(BigInt(saved?.slots.slot ?? 0)).toBe(slot);
  } finally {
    vi.useRealTimers();
  }
});

test('a body that is too large is refused, and the chain goes on', async () => {
  const body = ' '.repeat(8 * 1024 * 1024 + 1);
  const outcome = await fetch(running.rpcUrl, { method: 'POST', body }).then(
    (response) => response.status,
    () => 'cut off',
  );
  expect([400, 'cut off']).toContain(outcome);
  expect(await connection.getSlot()).toBeGreaterThan(0);
});
