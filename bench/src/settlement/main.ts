#!/usr/bin/env node
/**
 * What it costs to pay so many workers through the settlement program, and by other means, all in LiteSVM. With `--json` the last line
 * of standard output is the result.
 */
import { parseArgs } from 'node:util';
import { costsOf, type Payment } from './costs.js';
import { measurePeers } from './peers.js';

const MOST_WORKERS = 1_000_000;

const { values } = parseArgs({
  options: { workers: { type: 'string', default: '10000' }, json: { type: 'boolean' } },
});
const workers = Number(values.workers);
if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
  process.stderr.write(
    'usage: npm run bench:settlement -- [--workers N] [--json], N to a million\n',
  );
  process.exit(2);
}

const v3 = await costsOf(workers, 'v3');
const v0 = await costsOf(workers, 'v0');
const peers = measurePeers(workers);
const line = (name: string, cu: number, lamports: number, note: string) =>
  `${name.padEnd(44)}${cu.toFixed(0).padStart(8)}${lamports.toFixed(0).padStart(12)}   ${note}`;
const payment = (name: string, of: Payment) =>
  line(
    name,
    of.cuPerWorker,
    of.lamportsPerWorker,
    `${of.workersPerTransaction} in ${of.bytes} bytes`,
  );
process.stdout.write(
  `${[
    `${workers} workers, a tree ${v3.tree.depth} deep`,
    `${'for each worker'.padEnd(44)}${'units'.padStart(8)}${'lamports'.padStart(12)}`,
    line('claim', v3.claim.cu, v3.claim.lamports, `1 in ${v3.claim.bytes} bytes`),
    payment('claim_batch', v3.claimBatch),
    payment('claim_batch with an address table', v3.claimBatchWithTable),
    line('claim, SBPF v0', v0.claim.cu, v0.claim.lamports, `1 in ${v0.claim.bytes} bytes`),
    payment('claim_batch, SBPF v0', v0.claimBatch),
    payment('plain transfers', peers.splTransfers),
    line(
      'transfer and a claim account of 64 bytes',
      peers.claimStatus.cu,
      peers.claimStatus.lamports,
      `${peers.claimStatus.rentLamports} of it rent, every epoch`,
    ),
    `rent of a worker's place, once: ${v3.rentPerWorkerLamports.toFixed(0)} lamports; a bit of a bitmap, every epoch: ${peers.bitmap.rentPerWorkerLamports.toFixed(0)}`,
    `post_root with three co-signers: ${v3.postRoot.cu} units, ${v3.postRoot.bytes} bytes`,
    `the tree: ${v3.tree.cpuSeconds} s of CPU, ${v3.tree.rssMiB} MiB at most, then ${v3.tree.proofsPerCpuSecond} proofs a CPU second`,
    ...Object.entries(peers.notRun).map(([peer, why]) => `not run: ${peer} (${why})`),
  ].join('\n')}\n`,
);
if (values.json === true)
  process.stdout.write(`${JSON.stringify({ workers, ...v3, v0, peers })}\n`);
