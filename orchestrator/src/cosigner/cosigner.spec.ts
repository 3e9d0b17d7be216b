import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChainEvidence, CosignerMemory, EpochEvidence } from '@tidemill/core/cosigner';
import { NO_TOTALS } from '@tidemill/core/settlement';
import {
  CHAIN_START,
  chainHash,
  decodeBase58,
  epochObjectionBytes,
  leafHash,
  type PlacedEvent,
  type RootStatement,
  rootStatementBytes,
  SettlementTree,
  trailDigest,
  TreeHasher,
} from '@tidemill/protocol';
import { createKeyFile, nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cosigner, type Memory, type Orchestrator, type ShownEpoch } from './cosigner.js';
import { MemoryDamagedError, MemoryFolder } from './memory-folder.js';
import { memoryText } from './memory-text.js';

const TRUST = {
  name: 'testnet',
  network: new Uint8Array(32).fill(1),
  program: new Uint8Array(32).fill(2),
  maxFeeBps: 1_000,
};
const CHAIN: ChainEvidence = {
  slot: 100n,
  totals: { deposited: 0n, withdrawn: 0n, paid: 0n, feesWithdrawn: 0n },
  lastEpoch: 0n,
  submitters: new Map(),
  paidOf: () => 0n,
};

/** An orchestrator with epochs in which nothing was charged; what reaches it is kept, or lost. */
class QuietOrchestrator implements Orchestrator {
  readonly written: PlacedEvent[] = [];
  readonly epochs: ShownEpoch[] = [];
  readonly attested: { epoch: bigint; signature: string }[] = [];
  readonly objected: { epoch: bigint; reason: string; signature: string }[] = [];
  isAway = false;

  note(): void {
    const before = this.written.at(-1)?.chain ?? CHAIN_START;
    const event = { kind: 'noted', subject: `s${this.written.length}`, atMs: 1, body: '{}' };
    const digest = trailDigest(event, nodeSha256);
    const chain = chainHash(before, leafHash(digest, nodeSha256), nodeSha256);
    this.written.push({ ...event, place: this.written.length, digest, chain });
  }

  seal(change: Partial<RootStatement> = {}): void {
    this.note();
    const tree = new TreeHasher(nodeSha256);
    for (const { digest } of this.written) tree.append(leafHash(digest, nodeSha256));
    const empty = new SettlementTree([], nodeSha256);
    const statement: RootStatement = {
      network: TRUST.network,
      program: TRUST.program,
      epoch: BigInt(this.epochs.length + 1),
      sealedSlot: 10n,
      workerRoot: empty.root,
      workerDepth: 0,
      submitterRoot: empty.root,
      submitterDepth: 0,
      totals: NO_TOTALS,
      trailRoot: tree.root(),
      trailSize: BigInt(this.written.length),
      registryRoot: new Uint8Array(32),
      ...change,
    };
    this.epochs.push({ number: statement.epoch, statement, isSealed: true, spoken: [] });
  }

  change(at: number, change: Partial<ShownEpoch>): void {
    const epoch = this.epochs[at];
    if (epoch !== undefined) this.epochs[at] = { ...epoch, ...change };
  }

  async epochsAfter(epoch: bigint): Promise<readonly ShownEpoch[]> {
    return this.epochs.filter(({ number }) => number > epoch);
  }

  async epoch(number: bigint): Promise<ShownEpoch | null> {
    return this.epochs.find((one) => one.number === number) ?? null;
  }

  async evidence({ statement }: ShownEpoch): Promise<EpochEvidence> {
    return { statement, workers: [], submitters: [], charges: [] };
  }

  async *events(from: number): AsyncGenerator<PlacedEvent> {
    yield* this.written.slice(from);
  }

  async attest(epoch: bigint, signature: string): Promise<void> {
    if (this.isAway) throw new Error('away');
    this.attested.push({ epoch, signature });
  }

  async object(epoch: bigint, reason: string, signature: string): Promise<void> {
    this.objected.push({ epoch, reason, signature });
  }
}

let dir: string;
let orchestrator: QuietOrchestrator;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-cosigner-'));
  orchestrator = new QuietOrchestrator();
});
afterEach(() => rmSync(dir, { recursive: true }));

const keyFile = () => join(dir, 'key.json');
let signer: ReturnType<typeof createKeyFile>;
beforeEach(() => {
  signer = createKeyFile(keyFile());
});

/** A process that has just started, with what its folder holds. */
const started = (memory: Memory = new MemoryFolder(dir)): Cosigner =>
  new Cosigner(TRUST, signer, memory, orchestrator, async () => CHAIN);

const verify = nodeVerifier();
const isSigned = (bytes: Uint8Array, signature: string | undefined) =>
  verify(signer.publicKey, bytes, decodeBase58(signature ?? '') ?? new Uint8Array());

test('an epoch that is right is attested with the bytes that the program verifies', async () => {
  expect(await started().turn()).toEqual({ kind: 'idle' });
  orchestrator.seal();
  expect(await started().turn()).toEqual({ kind: 'attested', epoch: 1n });
  const [epoch] = orchestrator.epochs;
  const bytes = rootStatementBytes(epoch?.statement as RootStatement);
  expect(isSigned(bytes, orchestrator.attested[0]?.signature)).toBe(true);
  orchestrator.change(0, { isSealed: false });
  orchestrator.seal();
  expect(await started().turn()).toEqual({ kind: 'attested', epoch: 2n });
});

test('what it knows is on the disk before its signature leaves', async () => {
  let hasLeft = false;
  const kept: CosignerMemory[] = [];
  const folder = new MemoryFolder(dir);
  const memory = {
    load: () => folder.load(),
    keep: async (what: CosignerMemory) => {
      expect(hasLeft).toBe(false);
      await folder.keep(what);
      kept.push(what);
    },
  };
  orchestrator.attest = async () => {
    hasLeft = true;
    const found = memoryText(await new MemoryFolder(dir).load());
    expect(found).toBe(memoryText(kept[0] as CosignerMemory));
  };
  orchestrator.seal();
  await started(memory).turn();
  expect(hasLeft).toBe(true);
});

test('a signature that was lost is given again after a restart, and is the same', async () => {
  orchestrator.seal();
  orchestrator.isAway = true;
  await expect(started().turn()).rejects.toThrow('away');
  orchestrator.isAway = false;
  expect(await started().turn()).toEqual({ kind: 'attested', epoch: 1n });
  orchestrator.change(0, { spoken: [signer.address] });
  expect(await started().turn()).toEqual({ kind: 'idle' });
  expect(orchestrator.attested).toHaveLength(1);
});

test('a second statement for an epoch is never signed, not even after a restart (G17)', async () => {
  orchestrator.seal();
  orchestrator.isAway = true;
  await expect(started().turn()).rejects.toThrow('away');
  orchestrator.isAway = false;
  const [epoch] = orchestrator.epochs;
  const statement = { ...(epoch?.statement as RootStatement), sealedSlot: 11n };
  orchestrator.change(0, { statement });
  expect(await started().turn()).toMatchObject({ kind: 'objected', epoch: 1n });
  expect(orchestrator.attested).toEqual([]);
  expect(orchestrator.objected[0]?.reason).toMatch(/^TWO_STATEMENTS/);
});

test('an objection is signed with its reason, is sent once, and what comes after waits', async () => {
  orchestrator.seal({ totals: { ...NO_TOTALS, dust: 1n } });
  expect(await started().turn()).toMatchObject({ kind: 'objected', epoch: 1n });
  const [said] = orchestrator.objected;
  expect(said?.reason).toMatch(/^TOTALS: dust/);
  const { statement } = orchestrator.epochs[0] as ShownEpoch;
  const bytes = epochObjectionBytes(statement, said?.reason ?? '');
  expect(isSigned(bytes, said?.signature)).toBe(true);
  orchestrator.change(0, { spoken: [signer.address] });
  expect(await started().turn()).toMatchObject({ kind: 'waiting', epoch: 1n });
  orchestrator.change(0, { isSealed: false });
  orchestrator.seal();
  expect(await started().turn()).toMatchObject({ kind: 'waiting', epoch: 1n });
  expect(orchestrator.objected).toHaveLength(1);
  expect(orchestrator.attested).toEqual([]);
});

test('epochs that others have signed meanwhile are learnt from, one a turn', async () => {
  orchestrator.seal();
  orchestrator.change(0, { isSealed: false });
  orchestrator.seal();
  expect(await started().turn()).toEqual({ kind: 'learnt', epoch: 1n });
  expect(await started().turn()).toEqual({ kind: 'attested', epoch: 2n });
});

test('a slot that its own node has not seen yet is waited for', async () => {
  orchestrator.seal({ sealedSlot: 101n });
  expect(await started().turn()).toMatchObject({ kind: 'waiting', epoch: 1n });
  expect(orchestrator.objected).toEqual([]);
});

test('a memory that is damaged is no first start', async () => {
  orchestrator.seal();
  await started().turn();
  const file = join(dir, 'memory.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
  await expect(started().turn()).rejects.toThrow(MemoryDamagedError);
});
