import type { Job, JobDetail, Worker } from '../sdk/types.js';

const AT = '2030-01-01T00:00:00.000Z';
export const JOB_ID = 'job_01h455vb4pex5vsknk084sn02q';
export const WORKER_ID = 'wrk_01h455vb4pex5vsknk084sn02q';

export function aJob(change: Partial<Job> = {}): Job {
  return {
    id: JOB_ID,
    kind: 'batch',
    name: null,
    labels: {},
    state: 'queued',
    reason: null,
    createdAt: AT,
    startedAt: null,
    finishedAt: null,
    tasks: { total: 1, succeeded: 0, running: 0 },
    progress: null,
    hold: '1500000',
    cost: '0',
    verify: { applied: 'none' },
    expectedStart: null,
    ...change,
  };
}

export function aJobDetail(change: Partial<JobDetail> = {}): JobDetail {
  return {
    ...aJob(),
    spec: { kind: 'batch', runtime: { noop: {} } },
    taskList: [],
    ...change,
  };
}

export function aWorker(change: Partial<Worker> = {}): Worker {
  return {
    id: WORKER_ID,
    name: 'worker-1',
    publicKey: '4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM',
    state: 'online',
    capabilities: {
      runtimes: [{ name: 'noop', class: 'noop/1' }],
      isolation: 'process',
      gpuModel: null,
      region: '',
      os: 'linux',
      agent: '0.1.0',
    },
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 600, memoryMib: 1024, diskMib: 0 },
    slots: 1,
    asks: { gpuHour: '0', cpuHour: '50000' },
    running: 0,
    operator: null,
    joinedAt: AT,
    lastSeenAt: AT,
    earned: '0',
    pending: '0',
    results: { accepted: 0, rejected: 0, failed: 0, lost: 0 },
    ...change,
  };
}
