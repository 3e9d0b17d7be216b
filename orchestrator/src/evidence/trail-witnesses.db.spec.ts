import {
  cosignatureBytes,
  encodeBase58,
  type CosignatureRequest,
  type WitnessedCheckpointView,
} from '@tidemill/protocol';
import { createKeyFile, type Signer } from '@tidemill/protocol/node';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStages, type StageHost } from '../identity/testing/stage-host.js';
import { Db } from '../platform/db/db.js';
import { eventually } from '../testing/eventually.js';
import { Checkpoints } from '../trail/checkpoints.js';
import { SequencerLoop } from '../trail/sequencer.loop.js';
import { TrailReader } from '../trail/trail.reader.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { Witnesses } from '../trail/witnesses.js';

let host: StageHost;
let witness: Signer;
const newKey = (name: string): Signer => createKeyFile(join(host.dataDir, `${name}.json`));

beforeAll(async () => {
  host = await startStages([]);
  witness = newKey('witness');
  await checkpointAfter(1_500);
});
afterAll(() => host.stop());

/** Writes so many events and signs them; gives the size of the trail. */
async function checkpointAfter(events: number): Promise<number> {
  await host.app.get(TrailWriter).append(
    host.app.get(Db),
    Array.from({ length: events }, (_, i) => ({
      kind: 'test.happened',
      subject: `x${i}`,
      body: { i },
    })),
  );
  const reader = host.app.get(TrailReader);
  const before = (await reader.checkpoint())?.size ?? 0;
  await eventually('the events have no places', async () => {
    await host.app.get(SequencerLoop).turn();
    return (await reader.list(before + events - 1, 1)).length === 1;
  });
  await host.app.get(Checkpoints).sign();
  return (await reader.checkpoint())?.size ?? 0;
}

async function signedBy(
  key: Signer,
  change: Partial<CosignatureRequest & { operator: string; network: string }> = {},
): Promise<CosignatureRequest> {
  const checkpoint = await host.app.get(TrailReader).checkpoint();
  if (checkpoint === null) throw new Error('no checkpoint');
  const { size, root, network, publicKey: operator } = checkpoint;
  const atMs = host.clock.nowMs();
  const bytes = cosignatureBytes({ network, operator, size, root, atMs, ...change });
  return {
    size,
    publicKey: key.address,
    at: new Date(atMs).toISOString(),
    signature: encodeBase58(key.sign(bytes)),
    ...(change.size === undefined ? {} : { size: change.size }),
    ...(change.at === undefined ? {} : { at: change.at }),
  };
}

const send = (body: CosignatureRequest) =>
  fetch(`${host.url}/v1/trail/witnesses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

test('a third party’s signature is kept once and shown with its checkpoint (G15)', async () => {
  const signed = await signedBy(witness);
  for (let times = 0; times < 2; times += 1) {
    const answer = await send(signed);
    expect(answer.status).toBe(201);
    const { size: _, ...kept } = signed;
    expect(((await answer.json()) as WitnessedCheckpointView).witnesses).toEqual([kept]);
  }
  const listed = await fetch(`${host.url}/v1/trail/checkpoints?witness=${witness.address}`);
  const { items } = (await listed.json()) as { items: WitnessedCheckpointView[] };
  expect(items.map(({ size }) => size)).toEqual([signed.size]);
  const others = await fetch(`${host.url}/v1/trail/checkpoints?witness=${newKey('other').address}`);
  expect(await others.json()).toEqual({ items: [], nextCursor: null });
});

test('a signature over something else, by somebody else or of another time is refused', async () => {
  const stranger = newKey('stranger');
  const good = await signedBy(witness);
  const refused = [
    await signedBy(witness, { network: 'mainnet' }),
    await signedBy(witness, { operator: stranger.address }),
    { ...good, publicKey: stranger.address },
    { ...good, signature: (await signedBy(stranger)).signature },
    { ...good, at: new Date(host.clock.nowMs() + 1_000).toISOString() },
    { ...good, at: '2020-01-01T00:00:00.000Z' },
    // A point of small order verifies signatures nobody made.
    { ...good, publicKey: encodeBase58(new Uint8Array(32).fill(1, 0, 1)) },
  ];
  for (const body of refused) expect(await codeOf(await send(body))).toBe('WITNESS_REFUSED');
  expect(await codeOf(await send({ ...good, size: good.size + 1 }))).toBe('NOT_FOUND');
});

test('a checkpoint has room for so many witnesses and no more', async () => {
  const size = await checkpointAfter(3);
  const witnesses = host.app.get(Witnesses);
  for (let i = 0; i < 32; i += 1) await witnesses.add(await signedBy(newKey(`crowd-${i}`)));
  const late = await send(await signedBy(newKey('late')));
  expect(await codeOf(late)).toBe('CONFLICT');
  const [newest] = await witnesses.list(null, 1);
  expect([newest?.size, newest?.witnesses.length]).toEqual([size, 32]);
});

test('the whole trail is exported as lines, and from any place on', async () => {
  const text = await (await fetch(`${host.url}/v1/trail/export`)).text();
  const lines = text.trimEnd().split('\n');
  const heads = lines.filter((line) => line.startsWith('{"checkpoint":'));
  expect(heads.length).toBeGreaterThanOrEqual(2);
  expect(lines.slice(0, heads.length)).toEqual(heads);
  const places = lines
    .slice(heads.length)
    .map((line) => (JSON.parse(line) as { event: { place: number } }).event.place);
  expect(places).toEqual(places.map((_, i) => i));
  expect(places.length).toBeGreaterThanOrEqual(1_503);
  const rest = await fetch(`${host.url}/v1/trail/export?from=1000`);
  expect(rest.headers.get('content-type')).toBe('application/x-ndjson');
  expect((await rest.text()).trimEnd().split('\n')).toEqual(lines.slice(heads.length + 1_000));
});
