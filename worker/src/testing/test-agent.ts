import { nodeSha256 } from '@tidemill/protocol/node';
import { Agent, type AgentPorts, type AgentSettings } from '../agent.js';
import { SessionToken } from '../artifacts/session-token.js';
import type { ArtifactStore } from '../artifacts/store.js';
import { offeredRunners } from '../attempts/runners.js';
import { MemoryOutbox } from '../receipts/memory-outbox.js';
import { NoopRunner } from '../runtime/noop.js';
import type { Runner } from '../runtime/runner.js';
import { aProfile } from './builders.js';
import { FakeOrchestrator } from './fake-orchestrator.js';
import { MemoryTransport } from './memory-transport.js';
import { RememberingLog } from './remembering-log.js';
import { testSigner } from './test-signer.js';
import { VirtualTime } from './virtual-time.js';

/** A store for attempts that have no files. */
const noArtifacts: ArtifactStore = {
  fetch: () => Promise.reject(new Error('no artifacts here')),
  upload: () => Promise.reject(new Error('no artifacts here')),
};

export interface TestAgentOptions {
  readonly ports?: Partial<AgentPorts>;
  readonly settings?: Partial<AgentSettings>;
  readonly runners?: readonly Runner[];
  readonly orchestrator?: FakeOrchestrator;
}

/** An agent in memory under a virtual clock, with an orchestrator that it can reach. Not started. */
export async function testAgent(options: TestAgentOptions = {}) {
  const time = new VirtualTime();
  const log = new RememberingLog();
  const orchestrator = options.orchestrator ?? new FakeOrchestrator();
  const transport = new MemoryTransport(orchestrator);
  const runners = await offeredRunners(
    [new NoopRunner(time, time), ...(options.runners ?? [])],
    () => undefined,
  );
  const agent = new Agent(
    {
      clock: time,
      timers: time,
      random: () => 0.5,
      transport,
      runners,
      artifacts: noArtifacts,
      token: new SessionToken(),
      folders: {
        make: () => Promise.resolve({ path: '/nowhere', remove: () => Promise.resolve() }),
      },
      outbox: new MemoryOutbox(),
      signer: testSigner(),
      sha256: nodeSha256,
      log,
      ...options.ports,
    },
    {
      expected: { audience: '127.0.0.1', network: null },
      profile: aProfile(),
      isolation: 'process',
      drainGraceMs: 60_000,
      ...options.settings,
    },
  );
  return { agent, orchestrator, transport, time, log };
}
