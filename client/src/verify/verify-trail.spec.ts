import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bytesToHex,
  chainHash,
  CHAIN_START,
  checkpointBytes,
  encodeBase58,
  leafHash,
  trailDigest,
  TreeHasher,
  type CheckpointView,
  type TrailEventView,
} from '@tidemill/protocol';
import { createKeyFile, nodeSha256, type Signer } from '@tidemill/protocol/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TidemillError } from '../sdk/tidemill-error.js';
import { keepCheckpoint, keptCheckpoints } from './kept-checkpoints.js';
import { downloadTrail } from './trail-download.js';
import { trailFile } from './trail-file.js';
import { servedTrail, type TrailSource } from './trail-source.js';
import { verifyTrail } from './verify-trail.js';

const NETWORK = 'testnet';
let folder: string;
let operator: Signer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-verify-'));
  operator = createKeyFile(join(folder, 'operator.json'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The trail an operator shows after these events, with a checkpoint over the first `size` of them. */
function trailOf(
  bodies: readonly string[],
  size = bodies.length,
  signer = operator,
): { events: TrailEventView[]; checkpoint: CheckpointView } {
  const tree = new TreeHasher(nodeSha256);
  let chain = CHAIN_START;
  let checkpoint: CheckpointView | undefined;
  const events = bodies.map((body, place) => {
    const atMs = 1_764_000_000_000 + place;
    const event = { kind: 'job.accepted', subject: `job_${place}`, atMs, body };
    const digest = trailDigest(event, nodeSha256);
    const leaf = leafHash(digest, nodeSha256);
    chain = chainHash(chain, leaf, nodeSha256);
    tree.append(leaf);
    const [root, chainText] = [bytesToHex(tree.root()), bytesToHex(chain)];
    if (tree.size === size) {
      const signature = signer.sign(
        checkpointBytes({ network: NETWORK, size, root, chain: chainText, atMs }),
      );
      const { address: publicKey } = signer;
      const at = new Date(atMs).toISOString();
      checkpoint = {
        network: NETWORK,
        size,
        root,
        chain: chainText,
        at,
        publicKey,
        signature: encodeBase58(signature),
      };
    }
    const { kind, subject } = event;
    return {
      id: String(place + 10),
      place,
      at: new Date(atMs).toISOString(),
      kind,
      subject,
      body,
      digest: bytesToHex(digest),
      chain: chainText,
    };
  });
  if (checkpoint === undefined) throw new RangeError('no event ends where the checkpoint does');
  return { events, checkpoint };
}

function shown({
  events,
  checkpoint,
}: {
  events: readonly TrailEventView[];
  checkpoint: CheckpointView | null;
}): TrailSource {
  return {
    checkpoint: () => Promise.resolve(checkpoint),
    witnessed: () => Promise.resolve(null),
    async *events() {
      yield* events;
    },
  };
}

const bodies = ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}', '{"a":5}'];

test('an honest trail has no fault, and says how far a checkpoint vouches for it', async () => {
  const trail = trailOf(bodies, 3);
  const result = await verifyTrail({
    source: shown(trail),
    network: NETWORK,
    publicKeys: [operator.address],
  });
  expect(result).toMatchObject({
    size: 5,
    vouched: 3,
    fault: null,
    checkpoint: trail.checkpoint,
    keyFrom: 'given',
  });
});

test('a changed event is named by its place', async () => {
  const trail = trailOf(bodies);
  const events = trail.events.map((event, place) =>
    place === 2 ? { ...event, body: '{"a":9}' } : event,
  );
  const { fault } = await verifyTrail({ source: shown({ ...trail, events }) });
  expect(fault).toMatchObject({ place: 2, reason: 'digest' });
});

test.each([
  ['a digest that is no hash', { digest: 'zz' }],
  ['a time that is none', { at: 'yesterday' }],
  ['no chain hash', { chain: null }],
])('%s is a fault at its place, not an exception', async (_, change) => {
  const trail = trailOf(bodies);
  const events = trail.events.map((event, place) =>
    place === 3 ? { ...event, ...change } : event,
  );
  const { fault } = await verifyTrail({ source: shown({ ...trail, events }) });
  expect(fault).toMatchObject({ place: 3, reason: 'malformed' });
});

test('an operator that rewrites its trail is caught by a checkpoint kept from before', async () => {
  const file = join(folder, 'kept', 'checkpoints.json');
  const before = trailOf(bodies);
  const first = await verifyTrail({ source: shown(before), kept: await keptCheckpoints(file) });
  expect(first).toMatchObject({ fault: null, keyFrom: 'shown' });
  await keepCheckpoint(file, before.checkpoint);
  await keepCheckpoint(file, before.checkpoint);

  const after = trailOf([...bodies.with(1, '{"a":9}'), '{"a":6}']);
  expect((await verifyTrail({ source: shown(after) })).fault).toBeNull(); // by itself it looks honest
  const kept = await keptCheckpoints(file);
  expect(kept).toEqual([before.checkpoint]);
  const second = await verifyTrail({ source: shown(after), kept });
  expect(second).toMatchObject({ keyFrom: 'kept', fault: { reason: 'root', place: 4, since: 0 } });
  const third = await verifyTrail({ source: shown(after), kept, copy: shown(before) });
  expect(third.fault).toMatchObject({ reason: 'changed', place: 1 });
});

test('a trail that was cut back is caught by a checkpoint kept from before', async () => {
  const before = trailOf(bodies);
  const { fault } = await verifyTrail({
    source: shown(trailOf(bodies.slice(0, 3))),
    kept: [before.checkpoint],
  });
  expect(fault).toMatchObject({ reason: 'truncated', place: 3, since: 3 });
});

test('a checkpoint of another key is not the operator’s', async () => {
  const stranger = createKeyFile(join(folder, 'stranger.json'));
  const { fault } = await verifyTrail({
    source: shown(trailOf(bodies, 5, stranger)),
    publicKeys: [operator.address],
  });
  expect(fault).toMatchObject({ reason: 'key', place: 4 });
});

/** The lines that a network sends of it. */
async function* linesOf({ checkpoint, events }: ReturnType<typeof trailOf>) {
  yield JSON.stringify({ checkpoint, witnesses: [] });
  for (const event of events) yield await Promise.resolve(JSON.stringify({ event }));
}

test('an exported trail verifies without the network, and a change in the file is found', async () => {
  const trail = trailOf(bodies, 4);
  const file = join(folder, 'trail.ndjson');
  expect(await downloadTrail(() => linesOf(trail), file)).toMatchObject({ events: 5 });
  const honest = await verifyTrail({ source: trailFile(file) });
  expect(honest).toMatchObject({ size: 5, vouched: 4, fault: null, checkpoint: trail.checkpoint });

  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('{\\"a\\":2}', '{\\"a\\":7}'));
  expect((await verifyTrail({ source: trailFile(file) })).fault).toMatchObject({
    place: 1,
    reason: 'digest',
  });
  await writeFile(file, text.replace('{"event"', '{"evnt"'));
  await expect(verifyTrail({ source: trailFile(file) })).rejects.toThrow('line 2 of');
  await expect(downloadTrail(() => linesOf(trail), file)).rejects.toThrow('exists already');
});

test('an empty trail has no fault and nothing to vouch for', async () => {
  const result = await verifyTrail({ source: shown({ events: [], checkpoint: null }) });
  expect(result).toMatchObject({ size: 0, vouched: 0, fault: null, checkpoint: null });
});

test('a file that does not hold checkpoints is not passed over', async () => {
  const file = join(folder, 'checkpoints.json');
  await writeFile(file, '{}');
  await expect(keptCheckpoints(file)).rejects.toThrow('does not hold checkpoints');
  await writeFile(file, 'x');
  await expect(keptCheckpoints(file)).rejects.toThrow('not JSON');
});

test('a network without a checkpoint is a trail without one; other failures stay failures', async () => {
  const served = (code: 'NOT_FOUND' | 'UNREACHABLE') =>
    servedTrail({
      async *events() {
        yield* trailOf(bodies).events;
      },
      checkpoints: () => Promise.resolve([]),
      checkpoint: () =>
        Promise.reject(new TidemillError({ code, status: 404, title: '', detail: '', next: '' })),
    });
  expect(await served('NOT_FOUND').checkpoint()).toBeNull();
  expect((await verifyTrail({ source: served('NOT_FOUND') })).size).toBe(5);
  await expect(served('UNREACHABLE').checkpoint()).rejects.toThrow('UNREACHABLE');
});

test('progress is told every thousand events', async () => {
  const told: number[] = [];
  const many = trailOf(Array.from({ length: 2_500 }, (_, i) => String(i)));
  await verifyTrail({ source: shown(many), onProgress: (events) => told.push(events) });
  expect(told).toEqual([1_000, 2_000]);
});
