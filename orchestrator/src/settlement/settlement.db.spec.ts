import { EPOCH_STATES, EPOCH_TRANSITIONS } from '@tidemill/core/settlement';
import {
  encodeBase58,
  rootStatementBytes,
  rootStatementFrom,
  settlementRootFrom,
  workerLeafBytes,
  decodeBase58,
  type EpochView,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { Attestations } from './attestations.js';
import { EpochViews } from './epoch-views.js';
import { Epochs } from './epochs.js';
import { JoiningService } from './joining.service.js';
import { Proofs } from './proofs.js';
import { SealingService } from './sealing.service.js';
import { SettledRows, startWithChain, type Submitter } from './testing/settled-rows.js';
import { Trees } from './trees.js';

const keys = [1, 2, 3].map(() => generateKeyPairSync('ed25519'));
const addressOf = (key: KeyObject) =>
  encodeBase58(key.export({ format: 'der', type: 'spki' }).subarray(-32));

let host: StageHost;
let rows: SettledRows;
let alice: Submitter;

beforeAll(async () => {
  host = await startWithChain(keys.map(({ publicKey }) => addressOf(publicKey)));
  rows = new SettledRows(host);
  alice = await rows.submitter(1_000_000n);
});
afterAll(() => host.stop());

const join = () => host.app.get(JoiningService).turn();
const open = () => host.app.get(EpochViews).list({ state: ['open'], limit: 1 });

async function seal(): Promise<EpochView> {
  // The trail is signed once a second at most, by this clock.
  host.clock.advance(1_000);
  const sealed = await host.app.get(SealingService).seal({ whenDue: false });
  if (!sealed.ok) throw new Error(sealed.reason);
  return host.app.get(EpochViews).one(Number(sealed.number));
}
const attest = (epoch: EpochView, by: number) => {
  const pair = keys[by];
  if (pair === undefined || epoch.statement === null) throw new Error('nothing to sign');
  const bytes = rootStatementBytes(rootStatementFrom(epoch.statement));
  return host.app.get(Attestations).attest(epoch.number, {
    cosigner: addressOf(pair.publicKey),
    signature: encodeBase58(sign(null, bytes, pair.privateKey)),
  });
};
const moved = (number: number, to: 'posted' | 'final') =>
  host.db.transaction((tx) => host.app.get(Epochs)[to](tx, BigInt(number)));
/** Seals and lets the chain take it. */
async function finish(): Promise<EpochView> {
  const epoch = await seal();
  await moved(epoch.number, 'posted');
  await moved(epoch.number, 'final');
  return epoch;
}

describe('an epoch', () => {
  test('goes from its charges to final, once enough co-signers agree (G10)', async () => {
    const worker = await rows.worker();
    await rows.charge(alice, worker, { price: 1_000n, fee: 50n });
    await join();
    const epoch = await seal();
    expect(epoch).toMatchObject({
      number: 1,
      state: 'sealed',
      charges: 1,
      totals: { spent: '1000', earned: '950', fees: '50', feesGiven: '0', dust: '0' },
    });
    const epochs = host.app.get(Epochs);
    await attest(epoch, 0);
    await attest(epoch, 0);
    expect(await epochs.toPost()).toBeNull();
    await attest(epoch, 2);
    const ready = await epochs.toPost();
    expect(ready?.number).toBe(1n);
    expect(ready?.attestations).toHaveLength(2);
    if (ready === null || epoch.statement === null) throw new Error('nothing to post');
    // What is posted is what was signed.
    expect(rootStatementBytes(ready.statement)).toEqual(
      rootStatementBytes(rootStatementFrom(epoch.statement)),
    );
    await moved(1, 'posted');
    await moved(1, 'posted');
    expect(await epochs.toPost()).toBeNull();
    await moved(1, 'final');
    expect(await host.app.get(EpochViews).one(1)).toMatchObject({
      state: 'final',
      attestations: [{}, {}],
    });
    expect((await open()).items).toMatchObject([
      { number: 2, charges: 0, totals: { earned: '950' } },
    ]);

    const proof = await host.app.get(Proofs).ofWorker(1, worker);
    const { workers } = await host.app.get(Trees).of(1n);
    const leaf = workers.leaves[proof.index];
    if (leaf === undefined) throw new Error('no leaf');
    const network = decodeBase58(epoch.statement?.network ?? '') ?? new Uint8Array();
    const path = proof.path.map((hash) => Buffer.from(hash, 'hex'));
    const root = settlementRootFrom(
      nodeSha256(workerLeafBytes(network, leaf)),
      proof.index,
      path,
      nodeSha256,
    );
    expect(Buffer.from(root ?? []).toString('hex')).toBe(epoch.statement?.workerRoot);
    expect(proof).toMatchObject({ earned: '950', slashed: '0' });
  });

  test('follows the table of the rules, and no other state', async () => {
    const { number } = await finish();
    for (const to of EPOCH_STATES.filter(
      (state) =>
        !(EPOCH_TRANSITIONS.final as readonly string[]).includes(state) && state !== 'final',
    ))
      await expect(
        host.db.query('UPDATE epochs SET state = $2 WHERE number = $1', [number, to]),
      ).rejects.toThrow(`may not go from final to ${to}`);
    await expect(
      host.db.query('UPDATE epochs SET spent = spent + 1 WHERE number = $1', [number]),
    ).rejects.toThrow('is sealed');
  });
});
