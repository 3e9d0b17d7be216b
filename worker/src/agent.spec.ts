import { utf8ToBytes, type Receipt } from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import { MemoryOutbox } from './receipts/memory-outbox.js';
import { aProfile, anId, anOffer, digestOf, NO_NEEDS } from './testing/builders.js';
import { FakeOrchestrator } from './testing/fake-orchestrator.js';
import { testAgent, type TestAgentOptions } from './testing/test-agent.js';
import { settle } from './testing/virtual-time.js';

/** An agent that is logged in. */
async function joined(options: TestAgentOptions = {}) {
  const all = await testAgent(options);
  await all.agent.start();
  await all.time.advance(1);
  expect(all.orchestrator.isConnected).toBe(true);
  return all;
}

const sleeping = (sleepMs: number) => anOffer({ noop: { sleepMs } });

describe('joining', () => {
  test('the first line after a login says that the worker joined', async () => {
    const { agent, log, orchestrator } = await joined();
    expect(log.messages).toEqual(['joined']);
    expect(agent.snapshot()).toMatchObject({ state: 'online', workerId: orchestrator.workerId });
    expect(orchestrator.framesOf('login')[0]).toMatchObject({ profile: aProfile(), holding: [] });
  });

  test('a challenge for another host is never signed', async () => {
    const orchestrator = new FakeOrchestrator();
    orchestrator.audience = 'elsewhere.example';
    const { agent, log, time } = await testAgent({ orchestrator });
    await agent.start();
    await time.advance(30_000);
    expect(orchestrator.framesOf('login')).toEqual([]);
    expect(log.lines.find(({ message }) => message === 'challenge refused')?.fields).toMatchObject({
      reason: 'foreign_audience',
    });
  });

  test('a worker that was told its network joins no other', async () => {
    const { agent, orchestrator, time } = await testAgent({
      settings: { expected: { audience: '127.0.0.1', network: 'mainnet' } },
    });
    await agent.start();
    await time.advance(30_000);
    expect(orchestrator.framesOf('login')).toEqual([]);
  });

  test('an agent whose term ran out while it was frozen logs in again', async () => {
    const { agent, orchestrator, log, time } = await joined();
    orchestrator.hangUp(4409, 'REPLACED_BY_NEWER');
    await time.advance(5_000);
    expect(agent.snapshot().state).toBe('online');
    expect(log.messages).toContain('rejoined');
  });

  test('an agent that is replaced again and again leaves the key to the other one', async () => {
    const { agent, orchestrator, time } = await joined();
    for (let times = 0; times < 5; times += 1) {
      orchestrator.hangUp(4409, 'REPLACED_BY_NEWER');
      await time.advance(3_000);
    }
    expect(await agent.exited).toMatchObject({ reason: 'replaced' });
    expect(orchestrator.isConnected).toBe(false);
  });

  test('an agent that is too old for the orchestrator leaves', async () => {
    const { agent, orchestrator, time } = await joined();
    orchestrator.hangUp(4406, 'VERSION_MISMATCH');
    await time.advance(3_000);
    expect(await agent.exited).toMatchObject({ reason: 'version_mismatch' });
  });
});

describe('an attempt', () => {
  test('is accepted, run, reported and acknowledged', async () => {
    const { agent, orchestrator, time } = await joined();
    const offer = sleeping(700);
    orchestrator.offer(offer);
    await time.advance(100);
    expect(agent.snapshot()).toMatchObject({
      attempts: [{ attemptId: offer.attemptId, phase: 'running' }],
      resources: { free: { cpuMilli: 900 } },
    });
    await time.advance(1_000);

    const receipt = orchestrator.receipts.get(offer.attemptId);
    expect(receipt).toEqual({
      network: 'testnet',
      audience: '127.0.0.1',
      workerId: orchestrator.workerId,
      jobId: offer.jobId,
      taskId: offer.taskId,
      attemptId: offer.attemptId,
      fence: 1,
      taskDigest: digestOf(utf8ToBytes(offer.payload)),
      runtimeClass: 'noop/1',
      outcome: 'succeeded',
      failure: null,
      outputs: [],
      commitment: null,
      metrics: {},
      usage: { billableMs: 700, cpuMs: 0, maxRssMib: 0 },
      issuedAtMs: 1_750_000_000_701,
      expiresAtMs: 1_750_000_000_701 + 7 * 24 * 3_600_000,
    } satisfies Receipt);
    expect(agent.snapshot()).toMatchObject({
      attempts: [],
      outbox: 0,
      totals: { succeeded: 1, billableMs: 700 },
    });
    expect(orchestrator.breaches).toEqual([]);
  });

  test('that fails as its job says is reported as the fault of the job', async () => {
    const { orchestrator, time } = await joined();
    const offer = anOffer({ noop: { fail: 'as wished' } });
    orchestrator.offer(offer);
    await time.advance(100);
    expect(orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      outcome: 'failed',
      failure: { code: 'FAILED_AS_TOLD', message: 'as wished', fault: 'job' },
    });
  });

  test('ends at its longest duration', async () => {
    const { orchestrator, time } = await joined();
    const offer = anOffer({ noop: { sleepMs: 60_000 }, maxDurationMs: 2_000 });
    orchestrator.offer(offer);
    await time.advance(3_000);
    expect(orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      outcome: 'failed',
      failure: { code: 'TIMEOUT', fault: 'job' },
      usage: { billableMs: 2_000 },
    });
  });

  test('whose runtime breaks down is the fault of the worker', async () => {
    const { orchestrator, time } = await joined({
      runners: [
        {
          runtime: 'noop',
          offer: () =>
            Promise.resolve({
              ok: true,
              offer: {
                runtime: 'noop',
                runtimeClass: 'noop/1',
                isolation: 'none',
                isolationDetail: '',
              },
            }),
          run: () => Promise.reject(new Error('out of luck')),
        },
      ],
    });
    const offer = anOffer();
    orchestrator.offer(offer);
    await time.advance(100);
    expect(orchestrator.receipts.get(offer.attemptId)?.failure).toEqual({
      code: 'WORKER_FAILED',
      message: 'out of luck',
      fault: 'worker',
    });
  });

  test('that is cancelled leaves no receipt and gives its resources back', async () => {
    const { agent, orchestrator, time } = await joined();
    const offer = sleeping(60_000);
    orchestrator.offer(offer);
    await time.advance(100);
    orchestrator.tell({ type: 'cancel', attempts: [offer.attemptId], reason: 'cancelled' });
    await time.advance(120_000);
    expect(orchestrator.receipts.size).toBe(0);
    expect(agent.snapshot()).toMatchObject({
      attempts: [],
      slots: { free: 8 },
      totals: { cancelled: 1 },
    });
  });

  test('whose lease did not become active leaves no receipt', async () => {
    const { agent, orchestrator, time } = await joined();
    const offer = anOffer();
    orchestrator.offer(offer);
    orchestrator.leases.delete(offer.attemptId);
    await time.advance(10_000);
    expect(orchestrator.framesOf('receipts')).toEqual([]);
    expect(agent.snapshot().outbox).toBe(0);
  });

  test('leaves no timer behind', async () => {
    const { agent, orchestrator, time } = await joined();
    orchestrator.offer(anOffer(), anOffer());
    await time.advance(100);
    agent.stop();
    await time.advance(1);
    expect(time.pending).toBe(0);
  });

  test('sends its receipt after two seconds though nobody says that its lease is active', async () => {
    const { orchestrator, time } = await joined();
    orchestrator.confirmsLeases = false;
    const offer = anOffer();
    orchestrator.offer(offer);
    await time.advance(1_900);
    expect(orchestrator.receipts.size).toBe(0);
    await time.advance(200);
    expect(orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      outcome: 'succeeded',
      usage: { billableMs: 0 },
    });
  });
});

describe('offers', () => {
  test('of one frame are answered by one acceptance and one refusal for each reason', async () => {
    const { orchestrator, time } = await joined({ settings: { profile: aProfile({ slots: 2 }) } });
    const offers = [sleeping(1_000), sleeping(1_000), sleeping(1_000)];
    const tooLarge = anOffer({ needs: { ...NO_NEEDS, memoryMib: 2_000 } });
    const unknown = anOffer({ payload: '{"runtime":"quantum"}' });
    orchestrator.offer(...offers, tooLarge, unknown);
    await time.advance(100);
    const ids = (from: readonly { attemptId: string }[]) => from.map(({ attemptId }) => attemptId);
    expect(orchestrator.framesOf('accept').map(({ leases }) => ids(leases))).toEqual([
      ids(offers.slice(0, 2)),
    ]);
    expect(
      orchestrator.framesOf('refuse').map(({ leases, reason }) => [reason, ids(leases)]),
    ).toEqual([
      ['busy', ids(offers.slice(2))],
      ['unable', ids([tooLarge, unknown])],
    ]);
  });

  test('that come twice are accepted twice and run once', async () => {
    const { orchestrator, time } = await joined();
    const offer = sleeping(500);
    orchestrator.offer(offer);
    await time.advance(100);
    orchestrator.offer(offer);
    await time.advance(1_000);
    expect(orchestrator.framesOf('accept')).toHaveLength(2);
    expect(orchestrator.batches).toEqual([1]);
  });

  test('that come faster than frames may leave are answered in fuller frames', async () => {
    const { orchestrator, time } = await joined({
      settings: { profile: aProfile({ slots: 256 }) },
    });
    for (let i = 0; i < 100; i += 1) {
      orchestrator.offer(anOffer({ needs: NO_NEEDS, noop: { sleepMs: 60_000 } }));
      await time.advance(5);
    }
    await time.advance(1_000);
    const accepts = orchestrator.framesOf('accept').map(({ leases }) => leases.length);
    expect(accepts.reduce((sum, length) => sum + length)).toBe(100);
    expect(orchestrator.frames.length).toBeLessThan(45);
  });

  test('cancelled before the answer could leave are given up and free their place', async () => {
    const { agent, orchestrator, time } = await joined({
      settings: { profile: aProfile({ slots: 256 }) },
    });
    const offers = Array.from({ length: 40 }, () =>
      anOffer({ needs: NO_NEEDS, noop: { sleepMs: 60_000 } }),
    );
    for (const offer of offers) orchestrator.offer(offer);
    await settle();
    expect(orchestrator.framesOf('accept').length).toBeLessThan(40);
    for (const { attemptId } of offers) orchestrator.leases.delete(attemptId);
    orchestrator.tell({
      type: 'cancel',
      attempts: offers.map(({ attemptId }) => attemptId),
      reason: 'cancelled',
    });
    await time.advance(2_000);
    expect(agent.snapshot()).toMatchObject({ attempts: [], slots: { free: 256 } });
    expect(orchestrator.receipts.size).toBe(0);
  });

  test('whose answer could not leave before the session ended are as if they had not come', async () => {
    const { agent, orchestrator, transport, time } = await joined({
      settings: { profile: aProfile({ slots: 256 }) },
    });
    for (let i = 0; i < 40; i += 1)
      orchestrator.offer(anOffer({ needs: NO_NEEDS, noop: { sleepMs: 60_000 } }));
    await settle();
    const accepted = orchestrator.framesOf('accept').length;
    transport.cut();
    await time.advance(2_000);
    expect(orchestrator.framesOf('login').at(-1)?.holding).toHaveLength(accepted);
    expect(agent.snapshot()).toMatchObject({ state: 'online', slots: { free: 256 - accepted } });
  });

  test('are refused as soon as more would be held than a frame can list', async () => {
    const { orchestrator, time } = await joined({
      settings: { profile: aProfile({ slots: 256 }) },
    });
    orchestrator.acknowledgesReceipts = false;
    const needs = NO_NEEDS;
    orchestrator.offer(...Array.from({ length: 200 }, () => anOffer({ needs })));
    await time.advance(100);
    orchestrator.offer(
      ...Array.from({ length: 100 }, () => anOffer({ needs, noop: { sleepMs: 50_000 } })),
    );
    await time.advance(100);
    expect(orchestrator.framesOf('accept').map(({ leases }) => leases.length)).toEqual([200, 56]);
    expect(orchestrator.framesOf('refuse').map(({ leases }) => leases.length)).toEqual([44]);
  });
});

describe('receipts', () => {
  test('that end together travel under one signature, at most 64 in a frame', async () => {
    const { orchestrator, time } = await joined({
      settings: { profile: aProfile({ slots: 256 }) },
    });
    orchestrator.offer(...Array.from({ length: 150 }, () => anOffer({ needs: NO_NEEDS })));
    await time.advance(100);
    expect(orchestrator.batches.reduce((sum, size) => sum + size)).toBe(150);
    expect(orchestrator.batches.length).toBeLessThanOrEqual(4);
    expect(Math.max(...orchestrator.batches)).toBe(64);
    expect(orchestrator.breaches).toEqual([]);
  });

  test('are sent again until they are acknowledged', async () => {
    const { agent, orchestrator, time } = await joined();
    orchestrator.acknowledgesReceipts = false;
    orchestrator.offer(anOffer());
    await time.advance(1_000);
    expect(agent.snapshot().outbox).toBe(1);
    orchestrator.acknowledgesReceipts = true;
    await time.advance(20_000);
    expect(agent.snapshot().outbox).toBe(0);
    expect(orchestrator.batches).toEqual([1, 1]);
  });

  test('outlive the process that made them', async () => {
    const outbox = new MemoryOutbox();
    const before = await joined({ ports: { outbox } });
    before.orchestrator.acknowledgesReceipts = false;
    const offer = anOffer();
    before.orchestrator.offer(offer);
    await before.time.advance(100);
    before.agent.stop();
    await before.time.advance(5_000);
    expect(await before.agent.exited).toEqual({ reason: 'stopped', receiptsLeft: 1 });

    const after = await joined({ ports: { outbox } });
    await after.time.advance(100);
    expect(after.orchestrator.framesOf('login')[0]?.holding).toEqual([
      { attemptId: offer.attemptId, fence: 1 },
    ]);
    expect(after.orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      outcome: 'succeeded',
    });
    expect(after.agent.snapshot().outbox).toBe(0);
  });

  test('that are as old as their term are not sent any more', async () => {
    const outbox = new MemoryOutbox();
    await outbox.append([{ attemptId: anId('attempt'), fence: 1, text: '{}', expiresAtMs: 1_000 }]);
    const { agent, orchestrator, log } = await joined({ ports: { outbox } });
    expect(orchestrator.framesOf('receipts')).toEqual([]);
    expect(agent.snapshot().outbox).toBe(0);
    expect(log.messages).toContain('receipt expired');
  });
});

describe('heartbeats', () => {
  test('list running attempts and unacknowledged receipts', async () => {
    const { orchestrator, time } = await joined();
    orchestrator.acknowledgesReceipts = false;
    const [quick, slow] = [anOffer(), sleeping(60_000)];
    orchestrator.offer(quick, slow);
    await time.advance(7_600);
    const beats = orchestrator.framesOf('heartbeat');
    expect(beats).toHaveLength(2);
    expect(new Set(beats[1]?.attempts)).toEqual(new Set([quick.attemptId, slow.attemptId]));
  });

  test('without an answer for 12 s the attempts stop by themselves and leave nothing', async () => {
    const { agent, orchestrator, time, log } = await joined();
    orchestrator.offer(sleeping(13_000));
    await time.advance(100);
    orchestrator.isMute = true;
    await time.advance(11_700);
    expect(agent.snapshot().attempts).toHaveLength(1);
    await time.advance(400);
    expect(agent.snapshot()).toMatchObject({ attempts: [], outbox: 0, totals: { stopped: 1 } });
    expect(log.messages).toContain('stopped by silence');

    orchestrator.isMute = false;
    await time.advance(30_000);
    expect(agent.snapshot()).toMatchObject({ state: 'online' });
    expect(orchestrator.framesOf('login').at(-1)?.holding).toEqual([]);
    expect(orchestrator.receipts.size).toBe(0);
  });

  test('a silent connection is given up before the attempts are', async () => {
    const { orchestrator, transport, time } = await joined();
    orchestrator.isMute = true;
    await time.advance(10_300);
    expect(transport.opened).toBe(2);
  });
});

describe('a break of the connection', () => {
  test('leaves attempts running, and the next session takes them up', async () => {
    const { agent, orchestrator, transport, time, log } = await joined();
    const offer = sleeping(9_000);
    orchestrator.offer(offer);
    await time.advance(1_000);
    transport.isDown = true;
    transport.cut();
    await time.advance(6_000);
    expect(agent.snapshot()).toMatchObject({
      state: 'connecting',
      attempts: [{ phase: 'running' }],
    });
    transport.isDown = false;
    await time.advance(2_000);
    expect(orchestrator.framesOf('login').at(-1)?.holding).toEqual([
      { attemptId: offer.attemptId, fence: 1 },
    ]);
    expect(log.messages).toContain('rejoined');
    await time.advance(2_000);
    expect(orchestrator.receipts.get(offer.attemptId)?.usage.billableMs).toBe(9_000);
  });

  test('of up to eight seconds costs no attempt', async () => {
    const { agent, orchestrator, transport, time } = await joined();
    orchestrator.offer(sleeping(60_000));
    await time.advance(100);
    transport.isDown = true;
    transport.cut();
    await time.advance(8_000);
    transport.isDown = false;
    await time.advance(3_000);
    expect(agent.snapshot()).toMatchObject({ state: 'online', attempts: [{ phase: 'running' }] });
  });

  test('ends the attempts that the orchestrator has given away meanwhile', async () => {
    const { agent, orchestrator, transport, time } = await joined();
    const [lost, kept] = [sleeping(60_000), sleeping(60_000)];
    orchestrator.offer(lost, kept);
    await time.advance(100);
    orchestrator.leases.delete(lost.attemptId);
    transport.cut();
    await time.advance(3_000);
    expect(agent.snapshot().attempts.map(({ attemptId }) => attemptId)).toEqual([kept.attemptId]);
  });

  test('that lasts stops the attempts, and is tried again ever more slowly', async () => {
    const { agent, orchestrator, transport, time } = await joined();
    orchestrator.offer(sleeping(60_000));
    await time.advance(100);
    transport.isDown = true;
    transport.cut();
    await time.advance(13_000);
    expect(agent.snapshot().attempts).toEqual([]);
    const before = transport.opened;
    await time.advance(60_000);
    expect(transport.opened - before).toBeLessThanOrEqual(11);
    transport.isDown = false;
    await time.advance(15_000);
    expect(agent.snapshot().state).toBe('online');
  });

  test('keeps a receipt that was made in it', async () => {
    const { orchestrator, transport, time } = await joined();
    const offer = sleeping(2_000);
    orchestrator.offer(offer);
    await time.advance(100);
    transport.isDown = true;
    transport.cut();
    await time.advance(5_000);
    transport.isDown = false;
    await time.advance(3_000);
    expect(orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      outcome: 'succeeded',
      usage: { billableMs: 2_000 },
    });
  });
});

describe('draining', () => {
  test('finishes what runs, takes nothing new, and leaves', async () => {
    const { agent, orchestrator, time } = await joined();
    const [running, late] = [sleeping(5_000), anOffer()];
    orchestrator.offer(running);
    await time.advance(100);
    agent.drain();
    await time.advance(100);
    orchestrator.offer(late);
    await time.advance(1_000);
    expect(orchestrator.framesOf('drain')).toHaveLength(1);
    expect(orchestrator.framesOf('refuse')).toMatchObject([{ reason: 'draining' }]);
    expect(agent.snapshot().state).toBe('draining');
    await time.advance(5_000);
    expect(await agent.exited).toEqual({ reason: 'drained', receiptsLeft: 0 });
    expect([...orchestrator.receipts.keys()]).toEqual([running.attemptId]);
    expect(orchestrator.isConnected).toBe(false);
    expect(time.pending).toBe(0);
  });

  test('does not wait longer than its grace', async () => {
    const { agent, orchestrator, time } = await joined();
    orchestrator.offer(sleeping(600_000));
    await time.advance(100);
    agent.drain();
    await time.advance(59_000);
    expect(agent.snapshot().attempts).toHaveLength(1);
    await time.advance(2_000);
    expect(await agent.exited).toEqual({ reason: 'drained', receiptsLeft: 0 });
    expect(orchestrator.receipts.size).toBe(0);
  });

  test('a second wish stops at once', async () => {
    const { agent, orchestrator, time } = await joined();
    orchestrator.offer(sleeping(600_000));
    await time.advance(100);
    agent.drain();
    agent.stop();
    await time.advance(1);
    expect(await agent.exited).toEqual({ reason: 'stopped', receiptsLeft: 0 });
    expect(time.pending).toBe(0);
  });

  test('without an orchestrator keeps the receipts for the next start', async () => {
    const { agent, orchestrator, transport, time } = await joined();
    orchestrator.offer(sleeping(1_000));
    await time.advance(100);
    transport.isDown = true;
    transport.cut();
    agent.drain();
    await time.advance(7_000);
    expect(await agent.exited).toEqual({ reason: 'drained', receiptsLeft: 1 });
  });

  test('an orchestrator that goes away gets no more of it than this session (G5)', async () => {
    const { agent, orchestrator, transport, time } = await joined();
    const [running, late] = [sleeping(1_000), anOffer()];
    orchestrator.offer(running);
    await time.advance(100);
    orchestrator.tell({ type: 'drain' });
    orchestrator.offer(late);
    await time.advance(500);
    expect(orchestrator.framesOf('refuse')).toMatchObject([{ reason: 'draining' }]);
    expect(agent.snapshot()).toMatchObject({ state: 'draining', isConnected: true });
    // It is not the worker that leaves: nobody is told that it takes no more work.
    expect(orchestrator.framesOf('drain')).toEqual([]);

    transport.cut();
    await time.advance(5_000);
    expect(agent.snapshot()).toMatchObject({ state: 'online', isConnected: true });
    const next = anOffer();
    orchestrator.offer(next);
    await time.advance(5_000);
    expect([...orchestrator.receipts.keys()]).toEqual([running.attemptId, next.attemptId]);
  });
});
