import { join } from 'node:path';
import { nodeSha256, type Signer } from '@tidemill/protocol/node';
import { Agent, type AgentExit } from './agent.js';
import { ArtifactCache } from './artifacts/cache.js';
import { HttpArtifacts } from './artifacts/http-artifacts.js';
import { SessionToken } from './artifacts/session-token.js';
import { diskWorkFolders } from './attempts/disk-work-folders.js';
import { offeredRunners, type Runners } from './attempts/runners.js';
import { OwnerFiles, type Asks } from './config/owner-files.js';
import type { Settings } from './config/settings.js';
import { machineProbe } from './hardware/machine.js';
import { profileOf } from './hardware/profile.js';
import { fetchFor } from './link/proxy.js';
import { socketTransport } from './link/socket.js';
import type { Log } from './log.js';
import { FileOutbox } from './receipts/file-outbox.js';
import { allRunners } from './runners.js';
import type { StatusReport } from './status/report.js';
import { startStatusServer } from './status/server.js';
import { StatusFile } from './status/status-file.js';
import { systemClock, systemRandom, systemTimers } from './system-clock.js';
import { workerRegistry } from './telemetry.js';

const MIB = 1024 * 1024;

export interface RunningAgent {
  readonly agent: Agent;
  /** Resolves when the agent has left and what belongs to it is closed. */
  readonly exited: Promise<AgentExit>;
}

/** Binds every port to this machine and starts the agent. */
export async function startAgent(
  settings: Settings,
  signer: Signer,
  log: Log,
): Promise<RunningAgent> {
  const runners = await offeredRunners(allRunners(), (runtime, reason) =>
    log.warn({ runtime, reason }, 'runtime not offered'),
  );
  const ownerFiles = new OwnerFiles(settings.stateDir, log);
  const agent = await composeAgent(settings, signer, runners, ownerFiles, log);
  const startedAt = new Date(systemClock.wallMs()).toISOString();
  const report = (): StatusReport => ({
    ...agent.snapshot(),
    pid: process.pid,
    orchestrator: settings.orchestrator.origin,
    isolationDetail: isolationDetailOf(runners),
    statusPort: settings.statusPort,
    startedAt,
    updatedAt: new Date(systemClock.wallMs()).toISOString(),
  });

  const file = new StatusFile(join(settings.stateDir, 'status.json'), report, {
    timers: systemTimers,
    log,
  });
  const server =
    settings.statusPort === null
      ? null
      : await startStatusServer({
          port: settings.statusPort,
          report,
          registry: workerRegistry(() => agent.snapshot()),
          drain: () => agent.drain(),
        });
  await agent.start();
  file.start();
  const endWatch = ownerFiles.watchAsks((asks) => agent.reprice(asksOf(asks)));
  const exited = agent.exited.then(async (exit) => {
    endWatch();
    await Promise.all([file.end(), server?.close()]);
    return exit;
  });
  return { agent, exited };
}

async function composeAgent(
  settings: Settings,
  signer: Signer,
  runners: Runners,
  ownerFiles: OwnerFiles,
  log: Log,
): Promise<Agent> {
  const { orchestrator, stateDir } = settings;
  const hardware = await machineProbe(stateDir).probe();
  const runtimes = runners.offers.map(({ runtime, runtimeClass }) => ({
    name: runtime,
    class: runtimeClass,
    // Neither the noop nor the tfjs runtime of this software computes on a card.
    usesGpu: false,
  }));
  const asks = ownerFiles.asks();
  const operator = ownerFiles.operator();
  const profile = {
    ...profileOf(settings, hardware, runtimes, runners.isolation),
    ...(asks === null ? {} : { asks: asksOf(asks) }),
    ...(operator === null ? {} : { operator }),
  };
  log.info(
    {
      hardware,
      offered: profile.resources,
      slots: profile.slots,
      runtimes,
      isolation: runners.isolation,
    },
    'machine probed',
  );

  const token = new SessionToken();
  const cache = await ArtifactCache.open(
    join(stateDir, 'cache'),
    settings.cacheMib * MIB,
    systemClock,
  );
  const transfer = {
    timers: systemTimers,
    random: systemRandom,
    token,
    fetch: fetchFor(orchestrator.origin),
    baseUrl: orchestrator.origin,
  };
  return new Agent(
    {
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      transport: socketTransport(socketUrl(orchestrator)),
      runners,
      artifacts: new HttpArtifacts(transfer, cache),
      token,
      folders: await diskWorkFolders(join(stateDir, 'work')),
      outbox: new FileOutbox(join(stateDir, 'outbox.jsonl'), log),
      signer,
      sha256: nodeSha256,
      log,
    },
    {
      expected: { audience: orchestrator.host, network: settings.network },
      profile,
      isolation: runners.isolation,
      drainGraceMs: settings.drainGraceMs,
    },
  );
}

const asksOf = ({ cpuHour, gpuHour }: Asks) => ({
  cpuHour: String(cpuHour),
  gpuHour: String(gpuHour),
});

/** `https://host` → `wss://host/v1/worker`. */
function socketUrl(orchestrator: URL): string {
  const scheme = orchestrator.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${orchestrator.host}/v1/worker`;
}

function isolationDetailOf(runners: Runners): string {
  return runners.offers
    .map(({ runtime, isolationDetail }) => `${runtime}: ${isolationDetail}`)
    .join('; ');
}
