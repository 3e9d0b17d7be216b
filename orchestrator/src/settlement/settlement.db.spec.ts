import { EPOCH_STATES, EPOCH_TRANSITIONS, type EpochState } from '@tidemill/core/settlement';
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

const seal = async (): Promise<EpochView> =>
  host.app.get(EpochViews).one(Number(await rows.seal()));
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

/** Whether the database lets an epoch go from one state to another; nothing of it stays. */
async function mayGo(from: EpochState, to: EpochState): Promise<boolean> {
  const undone = new Error('undone');
  const trying = host.db.transaction(async (tx) => {
    if (from === 'open') await tx.query(MOVE_OPEN, [to]);
    else {
      await tx.query(ADD, [from]);
      await tx.query('UPDATE epochs SET state = $1 WHERE number = 1000000', [to]);
    }
    throw undone;
  });
  const said: unknown = await trying.catch((error: unknown) => error);
  if (said === undone) return true;
  expect(String(said)).toContain(`may not go from ${from} to ${to}`);
  return false;
}

const MOVE_OPEN = `
UPDATE epochs SET state = $1, network = last.network, program = last.program, sealed_slot = last.sealed_slot, worker_root = last.worker_root,
  worker_depth = last.worker_depth, submitter_root = last.submitter_root, submitter_depth = last.submitter_depth,
  trail_root = last.trail_root, trail_size = last.trail_size, registry_root = last.registry_root, sealed_at = last.sealed_at
FROM (SELECT * FROM epochs WHERE state = 'final' LIMIT 1) AS last WHERE epochs.state = 'open'`;

const ADD = `
INSERT INTO epochs (number, state, network, program, sealed_slot, worker_root, worker_depth, submitter_root, submitter_depth, trail_root,
  trail_size, registry_root, sealed_at)
SELECT 1000000, $1, network, program, sealed_slot, worker_root, worker_depth, submitter_root, submitter_depth, trail_root, trail_size,
  registry_root, sealed_at FROM epochs WHERE state = 'final' LIMIT 1`;

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

  test('follows the table of the rules, and what was sealed stays as it is', async () => {
    const { number } = await finish();
    for (const from of EPOCH_STATES)
      for (const to of EPOCH_STATES) {
        const isLegal = from === to || EPOCH_TRANSITIONS[from].includes(to);
        expect([from, to, await mayGo(from, to)]).toEqual([from, to, isLegal]);
      }
    await expect(
      host.db.query('UPDATE epochs SET spent = spent + 1 WHERE number = $1', [number]),
    ).rejects.toThrow('is sealed');
  });
});
