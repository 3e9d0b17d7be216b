import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bytesToHex,
  consistencyProof,
  hexToBytes,
  leafHash,
  merkleRoot,
  type CheckpointView,
  type ConsistencyProofView,
} from '@tidemill/protocol';
import { createKeyFile, nodeSha256, type Signer } from '@tidemill/protocol/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aTrail } from '../testing/a-trail.js';
import { checkContinues, cosign, isCosigned, WitnessRefusal, type Watch } from './witness.js';
import { WitnessMemory } from './witness-memory.js';

let folder: string;
let operator: Signer;
let witness: Signer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-witness-'));
  operator = createKeyFile(join(folder, 'operator.json'));
  witness = createKeyFile(join(folder, 'witness.json'));
});
afterEach(() => rm(folder, { recursive: true }));

const bodies = (count: number, changed = -1): string[] =>
  Array.from({ length: count }, (_, i) => (i === changed ? 'another' : `${i}`));

/** What a network shows that has these events: its checkpoint, and proofs over its own tree. */
function shownBy(events: readonly string[], signer = operator) {
  const trail = aTrail(events, signer);
  const leaves = trail.events.map(({ digest }) => leafHash(hexToBytes(digest), nodeSha256));
  const root = (level: number, index: number) =>
    merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level), nodeSha256);
  const consistency = (from: number, to: number): Promise<ConsistencyProofView> =>
    Promise.resolve({
      from,
      to,
      path: consistencyProof(from, to, root, nodeSha256).map(bytesToHex),
      fromRoot: '',
      toRoot: '',
    });
  return { checkpoint: trail.checkpoint, consistency };
}

const outcome = async (shown: CheckpointView, watch: Watch): Promise<string> => {
  try {
    await checkContinues(shown, watch);
    return 'witnessed';
  } catch (error) {
    if (error instanceof WitnessRefusal) return error.code;
    throw error;
  }
};

test('every checkpoint that continues the last one is witnessed, whatever their sizes (G15)', async () => {
  for (let from = 1; from <= 20; from += 1) {
    const last = shownBy(bodies(from)).checkpoint;
    for (let to = from; to <= 33; to += 4) {
      const { checkpoint, consistency } = shownBy(bodies(to));
      expect(await outcome(checkpoint, { last, consistency })).toBe('witnessed');
    }
  }
});

test('a thousand forks, rewinds and forged signatures are all refused, each for what it is (T18)', async ({
  annotate,
}) => {
  const stranger = createKeyFile(join(folder, 'stranger.json'));
  const SIZE = 30;
  const last = shownBy(bodies(SIZE)).checkpoint;
  let tried = 0;
  const expectRefused = async (
    code: string,
    shown: ReturnType<typeof shownBy>,
    change: Partial<CheckpointView> = {},
  ): Promise<void> => {
    const { consistency } = shown;
    expect(await outcome({ ...shown.checkpoint, ...change }, { last, consistency })).toBe(code);
    tried += 1;
  };
  for (let place = 0; place < SIZE; place += 1) {
    // Another event at this place, in histories of the same size and of larger ones.
    for (let more = 0; more < 24; more += 1) {
      await expectRefused('FORK', shownBy(bodies(SIZE + more, place)));
    }
    await expectRefused('FORK', shownBy(bodies(SIZE + 1).toSpliced(place, 1))); // deleted
    await expectRefused('FORK', shownBy(bodies(SIZE + 2).toSpliced(place, 0, 'new'))); // inserted
    const [a, b] = [place, (place + 7) % SIZE];
    const swapped = bodies(SIZE + 3)
      .with(a, String(b))
      .with(b, String(a));
    await expectRefused('FORK', shownBy(swapped));
    if (place > 0) await expectRefused('REWIND', shownBy(bodies(place)));
    if (place > 0) await expectRefused('REWIND', shownBy(bodies(place, 0)));
    const longer = shownBy(bodies(SIZE + 1 + place));
    await expectRefused('KEY', shownBy(bodies(SIZE + place), stranger));
    await expectRefused('KEY', longer, { network: `other-${place}` });
    await expectRefused('SIGNATURE', longer, { root: last.root });
    await expectRefused('SIGNATURE', longer, { chain: last.chain });
    await expectRefused('SIGNATURE', longer, { size: longer.checkpoint.size + 1 });
    await expectRefused('SIGNATURE', longer, { at: '2031-01-01T00:00:00.000Z' });
    await expectRefused('SIGNATURE', longer, { signature: last.signature });
    // An honest checkpoint with a proof that leads elsewhere is none.
    const forged = await longer.consistency(SIZE, longer.checkpoint.size);
    const path = [...forged.path.slice(1), bytesToHex(leafHash(hexToBytes(last.root), nodeSha256))];
    const consistency = () => Promise.resolve({ ...forged, path });
    await expectRefused('FORK', { checkpoint: longer.checkpoint, consistency });
  }
  expect(tried).toBeGreaterThanOrEqual(1_000);
  await annotate(`${tried} forks and forgeries refused by witnesses`, 'T18');
});

test('a key that was given is believed before the one that is shown', async () => {
  const { checkpoint, consistency } = shownBy(bodies(3));
  const publicKey = witness.address;
  expect(await outcome(checkpoint, { last: null, publicKey, consistency })).toBe('KEY');
  expect(await outcome(checkpoint, { last: null, consistency })).toBe('witnessed');
});

test('a cosignature is good for one checkpoint, one witness and one time', () => {
  const { checkpoint } = shownBy(bodies(3));
  const other = shownBy(bodies(4)).checkpoint;
  const signed = cosign(checkpoint, witness, 1_900_000_000_000);
  expect(isCosigned(checkpoint, signed)).toBe(true);
  expect(isCosigned(other, signed)).toBe(false);
  expect(isCosigned({ ...checkpoint, network: 'other' }, signed)).toBe(false);
  expect(isCosigned({ ...checkpoint, publicKey: witness.address }, signed)).toBe(false);
  expect(isCosigned(checkpoint, { ...signed, publicKey: operator.address })).toBe(false);
  expect(isCosigned(checkpoint, { ...signed, at: '2031-01-01T00:00:00.000Z' })).toBe(false);
  expect(isCosigned(checkpoint, { ...signed, signature: checkpoint.signature })).toBe(false);
});

test('the last checkpoint is remembered, a contradiction is kept, and a damaged memory is no first visit', async () => {
  const memory = new WitnessMemory(join(folder, 'memory'));
  expect(await memory.last()).toBeNull();
  const { checkpoint } = shownBy(bodies(3));
  const file = await memory.remember(checkpoint);
  expect(await memory.last()).toEqual(checkpoint);

  const fork = shownBy(bodies(3, 1)).checkpoint;
  const proof = await memory.keepProof(new WitnessRefusal('FORK', 'why', fork, checkpoint));
  expect(JSON.parse(await readFile(proof, 'utf8'))).toEqual({
    code: 'FORK',
    message: 'why',
    seen: checkpoint,
    shown: fork,
  });
  expect(await readdir(join(folder, 'memory'))).toHaveLength(2);
  await writeFile(file, '{}');
  await expect(memory.last()).rejects.toThrow('does not hold a checkpoint');
});
