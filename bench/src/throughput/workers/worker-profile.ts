import type { WorkerProfile } from '@tidemill/protocol';

/** The class of the simulated workers' only runtime, as their receipts repeat it. */
export const RUNTIME_CLASS = 'noop/1';

/** A simulated worker with room for more no-op jobs than it is ever given, so that nothing but the road itself is measured. */
export function workerProfile(name: string): WorkerProfile {
  return {
    name,
    capabilities: {
      runtimes: [{ name: 'noop', class: RUNTIME_CLASS }],
      isolation: 'process',
      gpuModel: null,
      region: 'local',
      os: 'linux',
      agent: 'tidemill-bench',
    },
    resources: {
      gpuMilli: 0,
      vramMib: 0,
      cpuMilli: 512_000,
      memoryMib: 4 * 1024 * 1024,
      diskMib: 4 * 1024 * 1024,
    },
    slots: 64,
    // Ten base units for a millisecond of one core: every accepted result has a price that the ledger has to split.
    asks: { gpuHour: '0', cpuHour: '36000000' },
  };
}
