import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryOutbox } from './receipts/memory-outbox.js';
import { anOffer, aProfile, NO_NEEDS } from './testing/builders.js';
import { FakeOrchestrator } from './testing/fake-orchestrator.js';
import { testAgent } from './testing/test-agent.js';

/** What may happen to an agent, in any order. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('offer'),
      count: fc.integer({ min: 1, max: 80 }),
      sleepMs: fc.constantFrom(0, 0, 50, 3_000, 40_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 0, max: 4_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constant(20_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('down', 'up', 'mute', 'speak', 'ack', 'nack') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel'), which: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
) as fc.Arbitrary<Happening>;

type Happening =
  | { readonly kind: 'offer'; readonly count: number; readonly sleepMs: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cut' | 'down' | 'up' | 'mute' | 'speak' | 'ack' | 'nack' | 'restart' }
  | { readonly kind: 'cancel'; readonly which: number };

/** An agent and an orchestrator that live through it; a restarted agent has only the outbox of the one before. */
async function livingThrough(happenings: readonly Happening[]) {
  const orchestrator = new FakeOrchestrator();
  const outbox = new MemoryOutbox();
  const begin = async () => {
    const settings = { profile: aProfile({ slots: 200 }) };
    const all = await testAgent({ orchestrator, ports: { outbox }, settings });
    await all.agent.start();
    await all.time.advance(1);
    return all;
  };
  let current = await begin();
  const agents = [current.agent];
  for (const what of happenings) {
    const { time, transport, agent } = current;
    if (what.kind === 'wait') await time.advance(what.ms);
    if (what.kind === 'cut') transport.cut();
    if (what.kind === 'down' || what.kind === 'up') transport.isDown = what.kind === 'down';
    if (what.kind === 'mute' || what.kind === 'speak') orchestrator.isMute = what.kind === 'mute';
    if (what.kind === 'ack' || what.kind === 'nack')
      orchestrator.acknowledgesReceipts = what.kind === 'ack';
    if (what.kind === 'offer' && orchestrator.isConnected) {
      orchestrator.offer(
        ...Array.from({ length: what.count }, () =>
          anOffer({ needs: NO_NEEDS, noop: { sleepMs: what.sleepMs } }),
        ),
      );
    }
    if (what.kind === 'cancel') {
      const ids = [...orchestrator.leases.keys()];
      const attemptId = ids[what.which % ids.length];
      if (attemptId !== undefined) {
        orchestrator.leases.delete(attemptId);
        orchestrator.tell({ type: 'cancel', attempts: [attemptId], reason: 'cancelled' });
      }
    }
    if (what.kind === 'restart') {
      agent.stop();
      await time.advance(5_000);
      await agent.exited;
      expect(time.pending).toBe(0);
      current = await begin();
      agents.push(current.agent);
    }
  }
  orchestrator.isMute = false;
  orchestrator.acknowledgesReceipts = true;
  current.transport.isDown = false;
  await current.time.advance(90_000);
  const finished = agents.reduce((sum, agent) => sum + agent.snapshot().totals.succeeded, 0);
  return { ...current, orchestrator, outbox, finished };
}

test('whatever the network does, every receipt arrives, once signed is never signed otherwise, and nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
      const { agent, orchestrator, outbox, finished } = await livingThrough(happenings);
      expect(orchestrator.breaches).toEqual([]);
      expect(agent.snapshot()).toMatchObject({
        state: 'online',
        attempts: [],
        outbox: 0,
        slots: { free: 200 },
      });
      expect(await outbox.open()).toEqual([]);
      expect(orchestrator.receipts.size).toBe(finished);
      for (const texts of orchestrator.receiptTexts.values()) expect(texts.size).toBe(1);
    }),
    { numRuns: 60 },
  );
}, 120_000);
