#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { type BenchServer, startBenchServer } from './bench-server.js';
import { runLatency } from './latency/run-latency.js';
import { describeMachine } from './machine.js';
import { type BenchOptions, type Part, readOptions, USAGE } from './options.js';
import { type PeerRound, runPeer } from './peers/run-peer.js';
import { PEER_NAMES, type PeerName } from './peers/peer-names.js';
import { ORCHESTRATOR_MAIN } from './product/orchestrator.js';
import { type ProductRound, runProduct } from './product/run-product.js';
import { type Measured, toJson } from './result.js';
import { runSockets } from './sockets/run-sockets.js';
import { toTable } from './table.js';

const startedAt = performance.now();
/** Progress goes to standard error: standard output carries the result. */
const log = (line: string): void => {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${line}\n`);
};

const read = readOptions(process.argv.slice(2));
if (!read.ok) {
  process.stderr.write(`${read.message}\n\n${USAGE}\n`);
  process.exit(2);
}
const { options } = read;
if (options.parts.some((part) => part !== 'peers') && !existsSync(ORCHESTRATOR_MAIN)) {
  process.stderr.write('The orchestrator is not built: run "npm run build" first.\n');
  process.exit(2);
}

// Ending by `exit` lets what was temporary be removed; the processes beside this one end with it.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const server = await startBenchServer({ log, countStatements: options.profileDir !== undefined });
try {
  const measured = await measure(server, options);
  process.stdout.write(`${toTable(measured)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(toJson(measured))}\n`);
} catch (error) {
  process.stderr.write(
    `\nThe benchmark failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
} finally {
  await server.stop();
}

async function measure(on: BenchServer, wanted: BenchOptions): Promise<Measured> {
  const machine = describeMachine(on.version);
  const wants = (part: Part) => wanted.parts.includes(part);
  const product: ProductRound[] = [];
  const peers: Partial<Record<PeerName, PeerRound[]>> = {};
  for (let round = 0; round < wanted.rounds; round += 1) {
    // In turn, so that whatever else the machine does hits all alike.
    for (const peer of PEER_NAMES) {
      if (wants('peers')) (peers[peer] ??= []).push(await measurePeer(on, wanted, peer));
      if (wants('product') && !(wanted.quick && product.length > 0)) {
        product.push(await measureProduct(on, wanted));
      }
    }
  }
  if (wants('latency')) log(`latency: ${wanted.latencyJobs} jobs, one at a time`);
  const latency = wants('latency') ? await runLatency(on, wanted.latencyJobs) : undefined;
  if (wants('sockets')) log(`sockets: ${wanted.sockets} on the orchestrator and on bare ws`);
  const sockets = wants('sockets')
    ? await runSockets(on, { ...wanted, rounds: wanted.quick ? 1 : 3 })
    : undefined;
  return { options: wanted, machine, product, peers, latency, sockets };
}

async function measurePeer(
  on: BenchServer,
  wanted: BenchOptions,
  peer: PeerName,
): Promise<PeerRound> {
  log(`${peer}: ${wanted.jobs} jobs`);
  const figures = await runPeer(on, { ...wanted, peer });
  log(`${peer}: ${figures.jobsPerCpuSecond.toFixed(0)} jobs per CPU second`);
  return figures;
}

async function measureProduct(on: BenchServer, wanted: BenchOptions): Promise<ProductRound> {
  log(`tidemill: ${wanted.jobs} jobs on ${wanted.workers} workers`);
  const figures = await runProduct(on, wanted);
  log(`tidemill: ${figures.batch.jobsPerCpuSecond.toFixed(0)} jobs per CPU second`);
  return figures;
}
