import { median } from '../statistics.js';
import type { Percentiles } from './latency/run-latency.js';
import type { Measured } from './result.js';

/** The result for people. */
export function toTable({ product, peers, latency, sockets, machine, options }: Measured): string {
  const blocks: string[] = [];
  const rows: string[][] = [];
  if (product.length > 0) {
    const of = (figure: (round: (typeof product)[number]) => number) => product.map(figure);
    rows.push(
      [
        'tidemill, 100 a call',
        ...figures(of((r) => r.batch.jobsPerCpuSecond)),
        count(median(of((r) => r.batch.wallJobsPerSecond))),
      ],
      [
        'tidemill, 1 a call',
        ...figures(of((r) => r.single.jobsPerCpuSecond)),
        count(median(of((r) => r.single.wallJobsPerSecond))),
      ],
    );
  }
  for (const [name, rounds] of Object.entries(peers)) {
    rows.push([
      name,
      ...figures(rounds.map((r) => r.jobsPerCpuSecond)),
      count(median(rounds.map((r) => r.wallJobsPerSecond))),
    ]);
  }
  if (rows.length > 0) {
    blocks.push(
      columns([
        ['jobs from submission to the end', 'per CPU second', 'rounds', 'per second'],
        ...rows,
      ]),
      "CPU seconds are those of the orchestrator (or the peer's process) and of PostgreSQL together, user and system.",
    );
  }
  if (product.length > 0) {
    const share = median(
      product.map(({ batch }) => batch.spent.cpuSeconds.postgres / batch.spent.totalCpuSeconds),
    );
    blocks.push(
      `Of tidemill's CPU seconds ${Math.round(share * 100)} % are PostgreSQL's. The orchestrator took ${count(median(product.map((r) => r.orchestratorMib)))} MiB with ${options.workers} workers.`,
    );
  }
  if (latency !== undefined) {
    const row = (name: string, { p50, p99, max }: Percentiles) => [name, ms(p50), ms(p99), ms(max)];
    blocks.push(
      columns([
        [`after the request, ms (${latency.jobs} jobs, idle network)`, 'p50', 'p99', 'max'],
        row('the worker has accepted', latency.acceptSent),
        row('the job says that it runs', latency.runningEvent),
        row('the work begins', latency.workStarts),
        row('the job is finished', latency.finished),
      ]),
    );
  }
  if (sockets !== undefined) {
    const row = (name: string, server: typeof sockets.ws) => [
      name,
      ...figures(server.beatsPerCpuSecond),
      count(median(server.beatsPerSecond)),
      server.kibPerConnection.toFixed(1),
    ];
    blocks.push(
      columns([
        [
          `heartbeats on ${sockets.sockets} sockets`,
          'per CPU second',
          'rounds',
          'per second',
          'KiB a connection',
        ],
        row('tidemill', sockets.orchestrator),
        row('bare ws', sockets.ws),
      ]),
      `Ratio to bare ws: ${sockets.ratioToWs.toFixed(2)}; each server ${sockets.pinnedToOneCore ? 'on one core' : 'on any core (no taskset here)'}.`,
    );
    if (sockets.remark !== null) blocks.push(`Note: ${sockets.remark}.`);
  }
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  blocks.push(
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGib} GiB, load ${machine.load.toFixed(1)}; Node ${machine.node}, ${machine.postgres}, ${packages.join(', ')}.`,
  );
  return blocks.join('\n\n');
}

const count = (value: number): string => Math.round(value).toLocaleString('en');
const ms = (value: number): string => value.toFixed(1);
/** The median, and all rounds when there are several. */
const figures = (values: readonly number[]): [string, string] => [
  count(median(values)),
  values.length > 1 ? values.map(count).join(' / ') : '',
];

/** Left column as text, the others as numbers. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
