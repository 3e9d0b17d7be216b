import type { SignedTrailCheckpoint } from '../checkpoint.js';
import { trailDigest } from '../event.js';
import { leafHash } from '../../merkle.js';
import { chainHash, CHAIN_START } from '../chain.js';
import type { PlacedEvent, TrailFaultReason } from '../verifier.js';
import { nodeSha256 } from '../../../node/node-crypto.js';
import {
  placed,
  signCheckpoint,
  signed,
  somethingHappened,
  strangeHash,
  type ShownTrail,
} from './honest-trail.js';
import type { TestKey } from './test-key.js';

/** One way to tamper, and where a verifier has to see it. */
interface Tampering {
  readonly shown: ShownTrail;
  /** The first place that differs from the honest trail. */
  readonly site: number;
  /** The first place that shows it to somebody with the honest checkpoints alone. */
  readonly place: number;
  readonly reason: TrailFaultReason;
}

export interface Scene {
  readonly honest: ShownTrail;
  /** Sizes of the honest checkpoints, in order. */
  readonly sizes: readonly number[];
  readonly operator: TestKey;
  readonly stranger: TestKey;
  /** A place that is not the last one. */
  readonly p: number;
  /** A later place. */
  readonly q: number;
  readonly salt: number;
}

type Tamper = (scene: Scene) => Tampering;

const direct = (
  scene: Scene,
  events: readonly PlacedEvent[],
  place: number,
  reason: TrailFaultReason,
  site = place,
): Tampering => ({
  shown: { events, checkpoints: scene.honest.checkpoints },
  site,
  place,
  reason,
});

const edited = ({ honest, p, salt }: Scene): PlacedEvent => ({
  ...at(honest.events, p),
  body: `{"salt":${salt}}`,
});
const redigested = (event: PlacedEvent): PlacedEvent => ({
  ...event,
  digest: trailDigest(event, nodeSha256),
});
const renumbered = (events: readonly PlacedEvent[]) =>
  events.map((event, place) => ({ ...event, place }));

/** Somebody with write access to everything but the old checkpoints makes all hashes fit again and signs anew. */
function rewritten(scene: Scene, events: readonly PlacedEvent[], key: TestKey): ShownTrail {
  const whole = placed(events);
  return { events: whole, checkpoints: signed(whole, scene.sizes, key) };
}

/** A rewrite is seen by the first honest checkpoint that covers it. */
const seenBy = ({ sizes }: Scene, site: number) =>
  at(
    sizes.filter((size) => size > site),
    0,
  ) - 1;

export const TAMPERINGS: Readonly<Record<string, Tamper>> = {
  'edit the body': (scene) =>
    direct(scene, scene.honest.events.with(scene.p, edited(scene)), scene.p, 'digest'),
  'backdate an event': (scene) => {
    const event = at(scene.honest.events, scene.p);
    return direct(
      scene,
      scene.honest.events.with(scene.p, { ...event, atMs: event.atMs - 1 - scene.salt }),
      scene.p,
      'digest',
    );
  },
  'move text from the subject to the kind': (scene) => {
    const { kind, subject, ...rest } = at(scene.honest.events, scene.p);
    const moved = { ...rest, kind: `${kind}\n${subject.slice(0, 2)}`, subject: subject.slice(2) };
    return direct(scene, scene.honest.events.with(scene.p, moved), scene.p, 'malformed');
  },
  'edit the digest': (scene) => {
    const event = { ...at(scene.honest.events, scene.p), digest: strangeHash(scene.salt) };
    return direct(scene, scene.honest.events.with(scene.p, event), scene.p, 'digest');
  },
  'edit the chain hash': (scene) => {
    const event = { ...at(scene.honest.events, scene.p), chain: strangeHash(scene.salt) };
    return direct(scene, scene.honest.events.with(scene.p, event), scene.p, 'chain');
  },
  'edit an event and its digest': (scene) =>
    direct(scene, scene.honest.events.with(scene.p, redigested(edited(scene))), scene.p, 'chain'),
  'edit an event, its digest and its own chain hash': (scene) => {
    const event = redigested(edited(scene));
    const before = scene.p === 0 ? CHAIN_START : at(scene.honest.events, scene.p - 1).chain;
    const chain = chainHash(before, leafHash(event.digest, nodeSha256), nodeSha256);
    const events = scene.honest.events.with(scene.p, { ...event, chain });
    const next = scene.p + 1;
    // A checkpoint that ends at this very event sees it first; else the next event does not fit.
    return scene.sizes.includes(next)
      ? direct(scene, events, scene.p, 'root')
      : direct(scene, events, next, 'chain', scene.p);
  },
  'delete an event': (scene) =>
    direct(scene, scene.honest.events.toSpliced(scene.p, 1), scene.p, 'gap'),
  'delete an event and close the gap': (scene) =>
    direct(scene, renumbered(scene.honest.events.toSpliced(scene.p, 1)), scene.p, 'chain'),
  'delete a stretch and close the gap': (scene) =>
    scene.q === scene.honest.events.length - 1
      ? direct(scene, scene.honest.events.slice(0, scene.p), scene.p, 'truncated')
      : direct(
          scene,
          renumbered(scene.honest.events.toSpliced(scene.p, scene.q - scene.p + 1)),
          scene.p,
          'chain',
        ),
  'insert an event': (scene) =>
    direct(
      scene,
      renumbered(scene.honest.events.toSpliced(scene.p, 0, redigested(edited(scene)))),
      scene.p,
      'chain',
    ),
  'show an event twice': (scene) =>
    direct(
      scene,
      scene.honest.events.toSpliced(scene.p + 1, 0, at(scene.honest.events, scene.p)),
      scene.p + 1,
      'gap',
    ),
  'swap two events': (scene) => {
    const [a, b] = [at(scene.honest.events, scene.p), at(scene.honest.events, scene.q)];
    return direct(scene, scene.honest.events.with(scene.p, b).with(scene.q, a), scene.p, 'gap');
  },
  'swap two events and their places': (scene) => {
    const [a, b] = [at(scene.honest.events, scene.p), at(scene.honest.events, scene.q)];
    return direct(
      scene,
      renumbered(scene.honest.events.with(scene.p, b).with(scene.q, a)),
      scene.p,
      'chain',
    );
  },
  truncate: (scene) => direct(scene, scene.honest.events.slice(0, scene.p), scene.p, 'truncated'),
  'rewind to an older state and its checkpoints': (scene) => ({
    shown: {
      events: scene.honest.events.slice(0, scene.p),
      checkpoints: scene.honest.checkpoints.filter(({ size }) => size <= scene.p),
    },
    site: scene.p,
    place: scene.p,
    reason: 'truncated',
  }),
  'rewind and go on differently': (scene) => {
    const events = [
      ...scene.honest.events.slice(0, scene.p),
      ...placed(somethingHappened(200, `other${scene.salt}`)),
    ];
    const shown = rewritten(scene, events, scene.operator);
    return { shown, site: scene.p, place: seenBy(scene, scene.p), reason: 'root' };
  },
  'fork: edit and make everything after it fit': (scene) => ({
    shown: rewritten(scene, scene.honest.events.with(scene.p, edited(scene)), scene.operator),
    site: scene.p,
    place: seenBy(scene, scene.p),
    reason: 'root',
  }),
  'fork: delete and make everything after it fit': (scene) => {
    const shown = rewritten(scene, scene.honest.events.toSpliced(scene.p, 1), scene.operator);
    const place = seenBy(scene, scene.p);
    // In the last stretch the trail ends one event before the checkpoint.
    const isLast = place === scene.honest.events.length - 1;
    return { shown, site: scene.p, place, reason: isLast ? 'truncated' : 'root' };
  },
  'fork: insert and make everything after it fit': (scene) => ({
    shown: rewritten(
      scene,
      scene.honest.events.toSpliced(scene.p, 0, edited(scene)),
      scene.operator,
    ),
    site: scene.p,
    place: seenBy(scene, scene.p),
    reason: 'root',
  }),
  'sign the checkpoints with another key': (scene) => ({
    shown: rewritten(scene, scene.honest.events, scene.stranger),
    site: at(scene.sizes, 0) - 1,
    place: at(scene.sizes, 0) - 1,
    reason: 'key',
  }),
  'claim another root over the old signature': (scene) =>
    forgedCheckpoint(
      scene,
      (checkpoint) => ({ ...checkpoint, root: 'ab'.repeat(32) }),
      'signature',
    ),
  'claim another time over the old signature': (scene) =>
    forgedCheckpoint(
      scene,
      (checkpoint) => ({ ...checkpoint, atMs: checkpoint.atMs + 1 }),
      'signature',
    ),
  'show a checkpoint of another network': (scene) =>
    forgedCheckpoint(
      scene,
      (checkpoint) => signCheckpoint({ ...checkpoint, network: 'other' }, scene.operator),
      'key',
    ),
  'flip a bit of a signature': (scene) =>
    forgedCheckpoint(
      scene,
      (checkpoint) => {
        const signature = Uint8Array.from(checkpoint.signature);
        const byte = scene.salt % 64;
        signature[byte] = (signature[byte] ?? 0) ^ (1 << (scene.salt % 8));
        return { ...checkpoint, signature };
      },
      'signature',
    ),
};

function forgedCheckpoint(
  scene: Scene,
  forge: (checkpoint: SignedTrailCheckpoint) => SignedTrailCheckpoint,
  reason: TrailFaultReason,
): Tampering {
  const which = scene.salt % scene.sizes.length;
  const { events, checkpoints } = scene.honest;
  const place = at(scene.sizes, which) - 1;
  return {
    shown: { events, checkpoints: checkpoints.with(which, forge(at(checkpoints, which))) },
    site: place,
    place,
    reason,
  };
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`nothing at ${index} of ${list.length}`);
  return item;
}
