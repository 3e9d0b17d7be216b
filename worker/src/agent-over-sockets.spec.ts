import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { socketTransport } from './link/socket.js';
import {
  startSocketOrchestrator,
  type SocketOrchestrator,
} from './link/testing/socket-orchestrator.js';
import { FileOutbox } from './receipts/file-outbox.js';
import { anOffer, aProfile, NO_NEEDS } from './testing/builders.js';
import { eventually } from './testing/eventually.js';
import { RememberingLog } from './testing/remembering-log.js';
import { testAgent } from './testing/test-agent.js';

let folder: string;
let server: SocketOrchestrator;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-agent-'));
  server = await startSocketOrchestrator();
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** An agent with a real socket and a real outbox; only its clock is virtual, and goes on with `advance`. */
async function connected() {
  const { agent, time, log } = await testAgent({
    ports: {
      transport: socketTransport(`ws://${server.host}/v1/worker`),
      outbox: new FileOutbox(join(folder, 'outbox.jsonl'), new RememberingLog()),
    },
    settings: {
      expected: { audience: server.host, network: 'testnet' },
      profile: aProfile({ slots: 256 }),
    },
  });
  await agent.start();
  await eventually(() => agent.snapshot().isConnected);
  /** Lets virtual time pass in small steps while the real network and disk do their part. */
  const until = (isSo: () => boolean, stepMs = 10) =>
    eventually(() => {
      void time.advance(stepMs);
      return isSo();
    });
  const leave = async () => {
    agent.stop();
    await agent.exited;
  };
  return { agent, time, log, until, leave };
}

describe('over a real socket', () => {
  test('an attempt goes from the offer to the acknowledged receipt', async () => {
    const { agent, until, leave } = await connected();
    const { orchestrator } = server;
    const offer = anOffer();
    orchestrator.offer(offer);
    await until(() => agent.snapshot().totals.receiptsAcknowledged === 1);
    expect(orchestrator.receipts.get(offer.attemptId)).toMatchObject({
      workerId: orchestrator.workerId,
      audience: server.host,
      outcome: 'succeeded',
    });
    expect(orchestrator.breaches).toEqual([]);
    await leave();
  });

  test('receipts that finish together share frames and signatures', async () => {
    const { agent, until, leave } = await connected();
    const offers = Array.from({ length: 120 }, () => anOffer({ needs: NO_NEEDS }));
    server.orchestrator.offer(...offers);
    await until(() => agent.snapshot().totals.receiptsAcknowledged === 120);
    expect(server.orchestrator.batches.length).toBeLessThan(20);
    expect(server.orchestrator.breaches).toEqual([]);
    await leave();
  });

  test('a challenge of somebody else is refused', async () => {
    server.orchestrator.audience = 'elsewhere.example';
    const { agent, log } = await testAgent({
      ports: { transport: socketTransport(`ws://${server.host}/v1/worker`) },
      settings: { expected: { audience: server.host, network: null } },
    });
    await agent.start();
    await eventually(() => log.messages.includes('challenge refused'));
    agent.stop();
    await agent.exited;
    expect(server.orchestrator.framesOf('login')).toEqual([]);
  });

  test('a broken connection is made again and the attempt goes on', async () => {
    const { agent, until, time, leave } = await connected();
    const offer = anOffer({ noop: { sleepMs: 5_000 } });
    server.orchestrator.offer(offer);
    await until(() => agent.snapshot().attempts[0]?.phase === 'running');
    server.cut();
    await eventually(() => !agent.snapshot().isConnected);
    expect(agent.snapshot().attempts).toHaveLength(1);
    await until(() => agent.snapshot().isConnected);
    expect(server.orchestrator.framesOf('login').at(-1)?.holding).toEqual([
      { attemptId: offer.attemptId, fence: 1 },
    ]);
    await time.advance(5_000);
    await until(() => server.orchestrator.receipts.has(offer.attemptId));
    await leave();
  });

  test('an unacknowledged receipt is sent by the next process', async () => {
    const before = await connected();
    server.orchestrator.acknowledgesReceipts = false;
    const offer = anOffer();
    server.orchestrator.offer(offer);
    await before.until(() => server.orchestrator.receipts.has(offer.attemptId));
    await before.leave();

    server.orchestrator.receipts.clear();
    server.orchestrator.acknowledgesReceipts = true;
    const after = await connected();
    await after.until(() => after.agent.snapshot().totals.receiptsAcknowledged === 1);
    expect([...server.orchestrator.receipts.keys()]).toEqual([offer.attemptId]);
    await after.leave();

    const last = await connected();
    expect(last.agent.snapshot().outbox).toBe(0);
    await last.leave();
  });

  test('an orchestrator that is not there is no reason to stop trying', async () => {
    const port = Number(server.host.split(':')[1]);
    await server.close();
    const { agent, time } = await testAgent({
      ports: { transport: socketTransport(`ws://127.0.0.1:${port}/v1/worker`) },
      settings: { expected: { audience: `127.0.0.1:${port}`, network: null } },
    });
    await agent.start();
    server = await startSocketOrchestrator(port);
    await eventually(() => {
      void time.advance(50);
      return agent.snapshot().isConnected;
    });
    agent.stop();
    await agent.exited;
  });
});
