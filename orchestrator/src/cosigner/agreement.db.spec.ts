import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tidemill } from '@tidemill/client';
import type { ChainEvidence } from '@tidemill/core/cosigner';
import { decodeBase58, encodeBase58 } from '@tidemill/protocol';
import { createKeyFile, type Signer } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { Epochs } from '../settlement/epochs.js';
import { JoiningService } from '../settlement/joining.service.js';
import { SealingService } from '../settlement/sealing.service.js';
import { withChain } from '../settlement/testing/settled-rows.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { Cosigner } from './cosigner.js';
import { MemoryFolder } from './memory-folder.js';
import { ShownOrchestrator } from './shown-orchestrator.js';

const ADDRESS = (byte: number) => encodeBase58(new Uint8Array(32).fill(byte));
const DEPOSIT = 10n;

let host: StageHost;
let dir: string;
let signers: Signer[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidemill-agreement-'));
  signers = [1, 2].map((at) => createKeyFile(join(dir, `key-${at}.json`)));
  const { env, overrides } = withChain(signers.map(({ address }) => address));
  const more = { TIDEMILL_FEE_BPS: '1000', TIDEMILL_AUDIT_RATE: '1', TIDEMILL_PAYOUT_FLOOR: '1' };
  host = await startNetwork({ env: { ...env, ...more }, overrides });
});
afterAll(async () => {
  await host.stop();
  rmSync(dir, { recursive: true });
});

/** A co-signer that asks this network over HTTP; what the chain would say is what was deposited. */
function cosigner(at: number, deposited: ReadonlyMap<string, bigint>): Cosigner {
  const signer = signers[at] as Signer;
  const tidemill = new Tidemill({ url: host.url, audience: 'tidemill.test', signer });
  const total = [...deposited.values()].reduce((sum, one) => sum + one, 0n);
  const chain: ChainEvidence = {
    slot: 1_000n,
    totals: { deposited: total, withdrawn: 0n, paid: 0n, feesWithdrawn: 0n },
    lastEpoch: 0n,
    submitters: new Map(
      [...deposited].map(([wallet, units]) => [
        wallet,
        { deposited: units, withdrawn: 0n, openedSlot: 0n },
      ]),
    ),
    paidOf: () => 0n,
  };
  return new Cosigner(
    {
      name: 'testnet',
      network: decodeBase58(ADDRESS(7)) as Uint8Array,
      program: decodeBase58(ADDRESS(8)) as Uint8Array,
      maxFeeBps: 1_000,
    },
    signer,
    new MemoryFolder(join(dir, `cosigner-${at}`)),
    new ShownOrchestrator(tidemill, signer.address),
    async () => chain,
  );
}

async function work(pool: string): Promise<void> {
  const worker = await StageWorker.join(host, pool);
  const offer = await worker.begin();
  await worker.report(offer, { usage: { billableMs: 25, cpuMs: 0, maxRssMib: 1 } });
  await worker.leave();
}

const toJoin = async (): Promise<number> =>
  (
    await host.db.query(
      'SELECT FROM charges WHERE settled AND released AND epoch IS NULL AND price > 0',
    )
  ).length;

/** Joins what is settled and seals it, once the trail has it. */
async function seal(): Promise<bigint> {
  await host.app.get(JoiningService).turn();
  let number = 0n;
  await expect
    .poll(
      async () => {
        // The trail is signed once a second at most, by this clock.
        host.clock.advance(1_000);
        const sealed = await host.app.get(SealingService).seal({ whenDue: false });
        if (sealed.ok) number = sealed.number;
        return sealed;
      },
      { timeout: 30_000 },
    )
    .toMatchObject({ ok: true });
  return number;
}

test('co-signers agree with what a network has really done, epoch after epoch (G17)', async () => {
  const alice = await StageSubmitter.with(host, Number(DEPOSIT));
  const bob = await StageSubmitter.with(host, Number(DEPOSIT));
  const units = DEPOSIT * 1_000_000n;
  const deposited = new Map([
    [alice.wallet.address, units],
    [bob.wallet.address, units],
  ]);

  await alice.submit(noopJob('first'));
  await work('first');
  await bob.submit(noopJob('second'));
  await work('second');
  await expect.poll(toJoin, { timeout: 30_000 }).toBe(2);
  const first = await seal();
  for (const at of [0, 1])
    expect(await cosigner(at, deposited).turn()).toEqual({ kind: 'attested', epoch: first });
  const ready = await host.app.get(Epochs).toPost();
  expect(ready?.attestations).toHaveLength(2);
  await host.db.transaction(async (tx) => {
    await host.app.get(Epochs).posted(tx, first);
    await host.app.get(Epochs).final(tx, first);
  });

  // A check that fees pay, and a worker that is there already under a new index or its own.
  await alice.submit(noopJob('audited', { verify: 'standard' }));
  await work('audited');
  await work('audited');
  await expect.poll(toJoin, { timeout: 30_000 }).toBeGreaterThanOrEqual(1);
  const second = await seal();
  expect(await cosigner(0, deposited).turn()).toEqual({ kind: 'attested', epoch: second });

  // Somebody whose chain knows no such deposits does not agree.
  const poor = new Map([[alice.wallet.address, units]]);
  expect(await cosigner(1, poor).turn()).toMatchObject({ kind: 'objected', epoch: second });
});
