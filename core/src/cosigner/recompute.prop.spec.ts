import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlacedEvent } from '@tidemill/protocol';
import type { EpochEvidence } from './evidence.js';
import { EpochWorld } from './testing/epoch-world.js';

const amount = fc.bigInt({ min: 0n, max: 200n });
const works = fc.array(
  fc.record({
    worker: fc.nat(2),
    submitter: fc.nat(1),
    price: amount,
    refunded: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

function aWorld(work: { worker: number; submitter: number; price: bigint }[]): EpochWorld {
  const world = new EpochWorld();
  // What the network gives has to have been paid as a fee by somebody.
  world.work({ worker: 0, submitter: 0, price: 10n, fee: 1n });
  for (const one of work) world.work({ ...one, fee: one.price / 10n });
  return world;
}

test('whatever honest work there is, its epoch is signed', () => {
  fc.assert(
    fc.property(works, (work) => {
      const world = aWorld(work.map((one) => ({ ...one, refunded: false })));
      expect(world.judge()).toMatchObject({ ok: true });
    }),
    { numRuns: 8 },
  );
});

/** The orchestrator's own claims: within their bounds nobody else can tell. */
const CLAIMS = ['held', 'sealedSlot'];

/** One value of the evidence, somewhere, becomes another. */
function mutated<T>(value: T, seed: number, fresh: number): T {
  const paths: (readonly (string | number)[])[] = [];
  const walk = (at: unknown, path: readonly (string | number)[]): void => {
    if (typeof at !== 'object' || at === null) paths.push(path);
    else if (at instanceof Uint8Array) paths.push([...path, seed % Math.max(1, at.length)]);
    else
      for (const [name, one] of Object.entries(at))
        if (!CLAIMS.includes(name)) walk(one, [...path, name]);
  };
  walk(value, []);
  const copy = structuredClone(value);
  const path = paths[seed % paths.length] ?? [];
  let owner = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) owner = owner[step] as typeof owner;
  const last = path.at(-1) ?? '';
  owner[last] = otherThan(owner[last], fresh);
  return copy;
}

function otherThan(value: unknown, fresh: number): unknown {
  if (typeof value === 'bigint') return value ^ BigInt(1 + (fresh % 255));
  if (typeof value === 'number') return (value ^ (1 + (fresh % 127))) >>> 0;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') return fresh;
  const at = fresh % Math.max(1, value.length);
  return `${value.slice(0, at)}${value[at] === 'a' ? 'b' : 'a'}${value.slice(at + 1)}`;
}

/** The honest evidence with one value changed; null when no statement can be made to fit it. */
function forged(world: EpochWorld, seed: number, fresh: number, fits: boolean) {
  const honest = world.evidence();
  if (!fits) return mutated(honest, seed, fresh);
  // A lie in the statement itself would only be put right by making it fit.
  const { statement, ...shown } = honest;
  try {
    return world.consistent({ statement, ...mutated(shown, seed, fresh) });
  } catch {
    return null;
  }
}

test('no mutation of the evidence or of the trail is ever signed (G17)', () => {
  const work = [
    { worker: 0, submitter: 0, price: 50n },
    { worker: 1, submitter: 1, price: 120n },
    { worker: 2, submitter: 0, price: 7n },
  ];
  // Judged over and over: a world that was lied to has learnt nothing.
  const world = aWorld(work);
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.boolean(), fc.boolean(), (seed, fresh, ofTrail, fits) => {
      const events = (of: readonly PlacedEvent[]) => mutated([...of], seed, fresh);
      const evidence = forged(world, seed, fresh, fits);
      fc.pre(evidence !== null);
      const result = world.judge(
        ofTrail ? { events } : { evidence: (of: EpochEvidence) => evidence ?? of },
      );
      expect(result.ok).toBe(false);
    }),
    { numRuns: 150 },
  );
  expect(world.judge()).toMatchObject({ ok: true });
});
