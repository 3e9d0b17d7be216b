import { median, rounded } from '../statistics.js';
import type { LatencyResult } from './latency/run-latency.js';
import type { Machine } from './machine.js';
import type { BenchOptions } from './options.js';
import type { PeerRound } from './peers/run-peer.js';
import type { PeerName } from './peers/peer-names.js';
import type { ProductRound } from './product/run-product.js';
import type { SocketsResult } from './sockets/run-sockets.js';

/** Everything that was measured; parts that were not asked for are missing. */
export interface Measured {
  readonly options: BenchOptions;
  readonly machine: Machine;
  readonly product: readonly ProductRound[];
  readonly peers: Readonly<Partial<Record<PeerName, readonly PeerRound[]>>>;
  readonly latency: LatencyResult | undefined;
  readonly sockets: SocketsResult | undefined;
}

/** The result as it is printed for programs: medians first, every round behind them. Times are seconds unless a name says `Ms`. */
export function toJson(measured: Measured): Record<string, unknown> {
  const { options, machine, product, peers, latency, sockets } = measured;
  const json: Record<string, unknown> = {};
  if (product.length > 0) json['product'] = productJson(product);
  const measuredPeers = Object.entries(peers).filter(([, rounds]) => rounds.length > 0);
  if (measuredPeers.length > 0) {
    json['peers'] = Object.fromEntries(
      measuredPeers.map(([name, rounds]) => [name, peerJson(rounds)]),
    );
  }
  if (latency !== undefined) json['latencyMs'] = latencyJson(latency);
  if (sockets !== undefined) json['sockets'] = sockets;
  return { ...withRounded(json), options, machine: withRounded(machine) };
}

function productJson(rounds: readonly ProductRound[]) {
  const cpuShare = (name: 'orchestrator' | 'postgres') =>
    median(rounds.map(({ batch }) => batch.spent.cpuSeconds[name] / batch.spent.totalCpuSeconds));
  return {
    jobsPerCpuSecond: median(rounds.map(({ batch }) => batch.jobsPerCpuSecond)),
    wallJobsPerSecond: median(rounds.map(({ batch }) => batch.wallJobsPerSecond)),
    cpuShare: { orchestrator: cpuShare('orchestrator'), postgres: cpuShare('postgres') },
    single: {
      jobsPerCpuSecond: median(rounds.map(({ single }) => single.jobsPerCpuSecond)),
      wallJobsPerSecond: median(rounds.map(({ single }) => single.wallJobsPerSecond)),
    },
    orchestratorMib: median(rounds.map(({ orchestratorMib }) => orchestratorMib)),
    rounds,
  };
}

function peerJson(rounds: readonly PeerRound[]) {
  return {
    jobsPerCpuSecond: median(rounds.map((round) => round.jobsPerCpuSecond)),
    runJobsPerCpuSecond: median(rounds.map((round) => round.runJobsPerCpuSecond)),
    wallJobsPerSecond: median(rounds.map((round) => round.wallJobsPerSecond)),
    rounds,
  };
}

function latencyJson({ workStarts, ...others }: LatencyResult) {
  return { ...workStarts, workStarts, ...others };
}

/** Every number cut to four significant digits unless it is whole: more would pretend to a precision that is not there. */
function withRounded<T>(value: T): T {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'number' && !Number.isInteger(member) ? rounded(member) : member,
  );
  return JSON.parse(text) as T;
}
