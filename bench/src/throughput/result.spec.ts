import { expect, it } from 'vitest';
import { describeMachine } from './machine.js';
import { type Measured, toJson } from './result.js';
import { toTable } from './table.js';

const spent = { wallSeconds: 10, cpuSeconds: { orchestrator: 6, postgres: 2 }, totalCpuSeconds: 8 };
const road = (jobsPerCpuSecond: number) => ({
  jobs: 100,
  spent,
  jobsPerCpuSecond,
  wallJobsPerSecond: 10,
});
const percentiles = { p50: 3, p99: 9.87654, max: 12 };
const server = {
  beatsPerCpuSecond: [8_000, 10_000],
  beatsPerSecond: [4_000, 4_000],
  kibPerConnection: 9.5,
};

const measured: Measured = {
  options: {
    parts: ['product', 'peers', 'latency', 'sockets'],
    jobs: 100,
    warmUpJobs: 10,
    singleJobs: 5,
    workers: 4,
    rounds: 1,
    quick: false,
    latencyJobs: 3,
    sockets: 50,
    socketSeconds: 1,
    profileDir: undefined,
    json: true,
  },
  machine: describeMachine('PostgreSQL 18'),
  product: [
    { batch: road(1_000), single: road(100), orchestratorMib: 90 },
    { batch: road(2_000), single: road(200), orchestratorMib: 110 },
  ],
  peers: {
    'pg-boss': [
      {
        jobs: 100,
        enqueue: { wallSeconds: 1, cpuSeconds: { client: 1, postgres: 1 }, totalCpuSeconds: 2 },
        run: { wallSeconds: 1, cpuSeconds: { client: 1, postgres: 1 }, totalCpuSeconds: 2 },
        jobsPerCpuSecond: 25,
        runJobsPerCpuSecond: 50,
        wallJobsPerSecond: 50,
      },
    ],
  },
  latency: {
    jobs: 3,
    workStarts: percentiles,
    acceptSent: percentiles,
    runningEvent: percentiles,
    finished: percentiles,
  },
  sockets: {
    sockets: 50,
    remark: null,
    pinnedToOneCore: true,
    orchestrator: { ...server, postgresCpuSeconds: 0.1 },
    ws: server,
    ratioToWs: 1,
  },
};

it('gives programs the median of the rounds and the rounds themselves', () => {
  expect(toJson(measured)).toMatchObject({
    product: {
      jobsPerCpuSecond: 1_500,
      cpuShare: { orchestrator: 0.75, postgres: 0.25 },
      single: { jobsPerCpuSecond: 150 },
      rounds: [{ batch: { jobsPerCpuSecond: 1_000 } }, { batch: { jobsPerCpuSecond: 2_000 } }],
    },
    peers: { 'pg-boss': { jobsPerCpuSecond: 25, runJobsPerCpuSecond: 50 } },
    latencyMs: { p50: 3, p99: 9.877 },
    sockets: { ratioToWs: 1 },
  });
});

it('leaves out what was not measured', () => {
  const only = toJson({ ...measured, product: [], peers: {}, latency: undefined });
  expect(Object.keys(only).toSorted()).toEqual(['machine', 'options', 'sockets']);
});

it('gives people the same figures in rows', () => {
  const table = toTable(measured);
  expect(table).toMatch(/^tidemill, 100 a call +1,500 +1,000 \/ 2,000 +10$/m);
  expect(table).toMatch(/^pg-boss +25 +50$/m);
  expect(table).toMatch(/^the work begins +3\.0 +9\.9 +12\.0$/m);
  expect(table).toContain('Ratio to bare ws: 1.00');
});
