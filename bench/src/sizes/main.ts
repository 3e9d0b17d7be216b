#!/usr/bin/env node
/**
 * What a job leaves in the database: runs `noop` jobs the whole road twice, a few and then many, and divides the growth of every
 * table and index by the jobs between. The last line of standard output is the result as JSON.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startBenchServer } from '../throughput/bench-server.js';
import { ORCHESTRATOR_MAIN } from '../throughput/product/orchestrator.js';
import { runProduct } from '../throughput/product/run-product.js';
import { perJob, type PerJob } from './per-job.js';
import { relationSizes, type TableSize } from './relation-sizes.js';

const JOBS_A_DAY = 1_000_000;
const GIB = 2 ** 30;
/** Fills the first pages of every table, which small counts would be charged for. */
const FIRST_JOBS = 500;

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '10000' } } });
const jobs = Number(values.jobs);
if (!Number.isInteger(jobs) || jobs < 100 || !existsSync(ORCHESTRATOR_MAIN)) {
  process.stderr.write('usage: npm run build && npm run bench:sizes -- [--jobs N], from 100 on\n');
  process.exit(2);
}

const log = (line: string): void => void process.stderr.write(`${line}\n`);
const server = await startBenchServer({ log, countStatements: false });
try {
  const sizes: TableSize[][] = [];
  for (const count of [FIRST_JOBS, FIRST_JOBS + jobs]) {
    log(`${count} jobs`);
    await runProduct(server, {
      jobs: count,
      warmUpJobs: 1,
      singleJobs: 1,
      workers: 50,
      inspect: async (url) => void sizes.push(await relationSizes(url)),
    });
  }
  const result = perJob(sizes[0] ?? [], sizes[1] ?? [], jobs);
  process.stdout.write(`${toTable(result)}\n${JSON.stringify({ jobs, ...result })}\n`);
} finally {
  await server.stop();
}

function toTable({ bytes, tables }: PerJob): string {
  const lines = tables.map(({ table, rows, bytes: all, heap, indexes }) => {
    const spelled = Object.entries(indexes).map(([name, size]) => `${name} ${size}`);
    return `${table.padEnd(24)}${String(rows).padStart(7)}${String(all).padStart(8)}   rows ${heap}, ${spelled.join(', ')}`;
  });
  const aDay = ((bytes * JOBS_A_DAY) / GIB).toFixed(1);
  return [
    `${'table'.padEnd(24)}${'rows'.padStart(7)}${'bytes'.padStart(8)}   of a job`,
    ...lines,
    `${bytes} bytes a job; a million jobs a day leave ${aDay} GiB a day`,
  ].join('\n');
}
