import { expect, test } from 'vitest';
import { nodeSha256, nodeVerifier } from '../node/node-crypto.js';
import { leafHash } from './merkle.js';
import { chainHash } from './trail/chain.js';
import type { SignedTrailCheckpoint } from './trail/checkpoint.js';
import { trailDigest } from './trail/event.js';
import {
  NETWORK,
  placed,
  signed,
  somethingHappened,
  type ShownTrail,
} from './trail/testing/honest-trail.js';
import { TAMPERINGS, type Scene } from './trail/testing/tamperings.js';
import { testKey } from './trail/testing/test-key.js';
import { TrailVerifier, type TrailReport, type TrailTrust } from './trail/verifier.js';

const isLong = process.env['TIDEMILL_TEST_LONG'] === '1';
/** Each kind of tampering this often; there are 25 kinds, so more than a thousand tamperings, or 20,000. */
const TIMES = isLong ? 820 : 42;
const MANY_EVENTS = isLong ? 1_000_000 : 20_000;
const EVENTS = 150;
const SIZES = [17, 40, 64, 65, 111, 128, EVENTS];

const operator = testKey(7);
const stranger = testKey(8);
const events = placed(somethingHappened(EVENTS));
const honest: ShownTrail = { events, checkpoints: signed(events, SIZES, operator) };
const copy: TrailTrust['copy'] = {
  size: EVENTS,
  chainAt: (place) => events[place]?.chain ?? new Uint8Array(),
};
const verify = nodeVerifier();

/** What somebody finds who kept these checkpoints, and perhaps a copy of the whole trail. */
function check(
  shown: ShownTrail,
  kept: readonly SignedTrailCheckpoint[],
  earlier?: TrailTrust['copy'],
): TrailReport {
  const trust: TrailTrust = {
    network: NETWORK,
    publicKeys: [operator.publicKey],
    checkpoints: [...kept, ...shown.checkpoints],
    ...(earlier === undefined ? {} : { copy: earlier }),
  };
  const verifier = new TrailVerifier(trust, { sha256: nodeSha256, verify });
  for (const event of shown.events) verifier.add(event);
  return verifier.finish();
}

/** Places that are spread over the trail and the same in every run; the edges come first. */
function scenes(): Scene[] {
  const edges = [
    [0, 1],
    [0, EVENTS - 1],
    [EVENTS - 2, EVENTS - 1],
    [16, 17],
    [63, 64],
    [64, 65],
  ] as const;
  return Array.from({ length: TIMES }, (_, i) => {
    const p = (i * 61 + 5) % (EVENTS - 1);
    const [first, second] = edges[i] ?? [p, p + 1 + ((i * 37) % (EVENTS - 1 - p))];
    return { honest, sizes: SIZES, operator, stranger, p: first, q: second, salt: i };
  });
}

test('an honest trail is found honest, with or without an earlier copy', () => {
  const report = check(honest, honest.checkpoints, copy);
  const last = honest.checkpoints.at(-1);
  expect(report).toEqual({
    size: EVENTS,
    root: last?.root,
    chain: last?.chain,
    vouched: EVENTS,
    fault: null,
  });
  expect(check(honest, []).fault).toBeNull();
});

test('the tail behind the newest checkpoint is checked but not vouched for', () => {
  const report = check({ events, checkpoints: [] }, honest.checkpoints.slice(0, 3));
  expect(report).toMatchObject({ size: EVENTS, vouched: 64, fault: null });
});

test('there are more than a thousand tamperings', async ({ annotate }) => {
  const tamperings = Object.keys(TAMPERINGS).length * scenes().length;
  expect(tamperings).toBeGreaterThan(1_000);
  await annotate(`${tamperings} tamperings found at their places (1,000 asked)`, 'T18');
});

test.each(Object.entries(TAMPERINGS))('to %s is found at its place', (_, tamper) => {
  for (const scene of scenes()) {
    const { shown, site, place, reason } = tamper(scene);
    const { fault } = check(shown, honest.checkpoints);
    expect(fault).toMatchObject({ place, reason });
    const isSigned = reason === 'key' || reason === 'signature';
    if (!isSigned) expect(fault?.since).toBeLessThanOrEqual(site); // a forged checkpoint alters no event
    // Whoever kept a copy is told the very event, even of a rewrite in which everything fits.
    expect(check(shown, honest.checkpoints, copy).fault?.place).toBe(site);
  }
});

test('many events are verified in less than a minute', () => {
  const verifier = new TrailVerifier(
    { network: NETWORK, publicKeys: [operator.publicKey], checkpoints: [] },
    { sha256: nodeSha256, verify },
  );
  let tail = events[0]?.chain ?? new Uint8Array();
  const startedMs = performance.now();
  for (const event of events.slice(0, 1)) verifier.add(event);
  for (let place = 1; place < MANY_EVENTS; place += 1) {
    const event = {
      kind: 'job.accepted',
      subject: `job_${place}`,
      atMs: place,
      body: `{"i":${place}}`,
    };
    const digest = trailDigest(event, nodeSha256);
    tail = chainHash(tail, leafHash(digest, nodeSha256), nodeSha256);
    verifier.add({ ...event, place, digest, chain: tail });
  }
  expect(verifier.finish()).toMatchObject({ size: MANY_EVENTS, fault: null });
  expect(performance.now() - startedMs).toBeLessThan(60_000);
});
