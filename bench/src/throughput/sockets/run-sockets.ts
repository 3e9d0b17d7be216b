import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@tidemill/localnet';
import { cpuSeconds, residentMib } from '../../cpu.js';
import { median } from '../../statistics.js';
import { temporaryFolder } from '../../temporary-folder.js';
import type { BenchServer } from '../bench-server.js';
import { canPin, pinned } from '../pinned.js';
import { withOrchestrator } from '../product/orchestrator.js';
import { type Beaters, withBeaters } from './beaters.js';
import type { Target } from './idle-sockets.js';
import { affordableSockets } from './open-files.js';

/** The core that the two servers have, one after the other, to themselves as far as the machine lets them. */
const CORE = 0;
/** Beats of one socket while it is measured: five times as often as workers do, so that a few seconds say enough. */
const BEAT_MS = 1_000;
const SETTLE_MS = 1_500;

interface SocketsOptions {
  readonly sockets: number;
  readonly rounds: number;
  readonly socketSeconds: number;
}

/** What one server did with its sockets. */
interface ServerResult {
  /** Heartbeats answered for each CPU second of the server's process, round by round. */
  readonly beatsPerCpuSecond: readonly number[];
  readonly beatsPerSecond: readonly number[];
  /** Memory that the connections added to the process, for each of them. */
  readonly kibPerConnection: number;
}

export interface SocketsResult {
  readonly sockets: number;
  readonly remark: string | null;
  readonly pinnedToOneCore: boolean;
  readonly orchestrator: ServerResult & {
    /** What the database spends on the same heartbeats. */ readonly postgresCpuSeconds: number;
  };
  readonly ws: ServerResult;
  /** Median of the orchestrator's heartbeats for each CPU second over that of bare ws. */
  readonly ratioToWs: number;
}

/** Compares the orchestrator's sockets with bare ones under the same heartbeats, turn by turn in one run. */
export async function runSockets(
  server: BenchServer,
  options: SocketsOptions,
): Promise<SocketsResult> {
  const { count, remark } = affordableSockets(options.sockets);
  return server.withDatabase('sockets', (databaseUrl) =>
    withBareServer((bare) =>
      withOrchestrator({ databaseUrl, core: CORE }, async (orchestrator) => {
        const subjects = {
          ws: { pid: bare.pid, target: { kind: 'ws', url: bare.url } },
          orchestrator: {
            pid: orchestrator.pid,
            target: { kind: 'orchestrator', orchestrator: orchestrator.address },
          },
        } satisfies Record<string, { pid: number; target: Target }>;
        return withMemory(subjects.ws, count, (wsBeaters, wsKib) =>
          withMemory(subjects.orchestrator, count, async (workerBeaters, workerKib) => {
            const rounds = { ws: [] as Round[], orchestrator: [] as Round[] };
            for (let i = 0; i < options.rounds; i += 1) {
              rounds.ws.push(
                await beatFor(wsBeaters, bare.pid, server.postmaster, options.socketSeconds),
              );
              rounds.orchestrator.push(
                await beatFor(
                  workerBeaters,
                  orchestrator.pid,
                  server.postmaster,
                  options.socketSeconds,
                ),
              );
            }
            await refuseLosses(wsBeaters, workerBeaters);
            const ws = result(rounds.ws, wsKib);
            const product = result(rounds.orchestrator, workerKib);
            return {
              sockets: count,
              remark,
              pinnedToOneCore: canPin,
              orchestrator: {
                ...product,
                postgresCpuSeconds: median(rounds.orchestrator.map((round) => round.postgres)),
              },
              ws,
              ratioToWs: median(product.beatsPerCpuSecond) / median(ws.beatsPerCpuSecond),
            };
          }),
        );
      }),
    ),
  );
}

interface Round {
  readonly beats: number;
  readonly seconds: number;
  readonly cpu: number;
  readonly postgres: number;
}

async function beatFor(
  beaters: Beaters,
  pid: number,
  postmaster: number,
  seconds: number,
): Promise<Round> {
  await beaters.beatEvery(BEAT_MS);
  await sleep(SETTLE_MS);
  const read = async () => ({
    at: performance.now() / 1000,
    beats: (await beaters.counts()).acknowledged,
    cpu: cpuSeconds(pid),
    postgres: cpuSeconds(postmaster),
  });
  const before = await read();
  await sleep(seconds * 1000);
  const after = await read();
  await beaters.idle();
  return {
    beats: after.beats - before.beats,
    seconds: after.at - before.at,
    cpu: after.cpu - before.cpu,
    postgres: after.postgres - before.postgres,
  };
}

const result = (rounds: readonly Round[], kibPerConnection: number): ServerResult => ({
  beatsPerCpuSecond: rounds.map(({ beats, cpu }) => beats / cpu),
  beatsPerSecond: rounds.map(({ beats, seconds }) => beats / seconds),
  kibPerConnection,
});

/** A server that drops connections is not cheaper for it. */
async function refuseLosses(...all: readonly Beaters[]): Promise<void> {
  for (const beaters of all) {
    const { lost } = await beaters.counts();
    if (lost.length > 0) throw new Error(`${lost.length} sockets were lost, such as ${lost[0]}`);
  }
}

async function withMemory<T>(
  { pid, target }: { readonly pid: number; readonly target: Target },
  sockets: number,
  work: (beaters: Beaters, kibPerConnection: number) => Promise<T>,
): Promise<T> {
  const before = residentMib(pid);
  return withBeaters({ target, sockets }, async (beaters) => {
    await sleep(SETTLE_MS);
    return work(beaters, ((residentMib(pid) - before) * 1024) / sockets);
  });
}

async function withBareServer<T>(
  work: (server: { pid: number; url: string }) => Promise<T>,
): Promise<T> {
  const home = temporaryFolder();
  const script = fileURLToPath(new URL('./ws-server.js', import.meta.url));
  const [command = '', ...args] = pinned(CORE, [process.execPath, script]);
  try {
    const server = await startProcess({
      name: 'the bare ws server',
      command,
      args,
      logFile: join(home.path, 'server.log'),
      readyWhen: { line: /listening on (\d+)/ },
    });
    try {
      return await work({ pid: server.pid, url: `ws://127.0.0.1:${server.readyLine?.[1]}` });
    } finally {
      await server.stop();
    }
  } finally {
    await home.remove();
  }
}
