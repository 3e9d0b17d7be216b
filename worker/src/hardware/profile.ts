import {
  MAX_HELD_ATTEMPTS,
  type IsolationLevel,
  type Resources,
  type WorkerProfile,
} from '@tidemill/protocol';
import type { Settings } from '../config/settings.js';
import type { Hardware } from './probe.js';

/** A runtime of this worker, as others see it. */
export interface RuntimeFacts {
  readonly name: 'noop' | 'tfjs';
  readonly class: string;
  readonly usesGpu: boolean;
}

/** What this software is called on the wire. */
const AGENT = 'tidemill-worker/0.1.0';

type Offered = Pick<
  Settings,
  | 'name'
  | 'cpuMilli'
  | 'memoryMib'
  | 'diskMib'
  | 'gpus'
  | 'slots'
  | 'askGpuHour'
  | 'askCpuHour'
  | 'region'
  | 'payout'
>;

/** What the worker says of itself: what the machine has, within what its owner lends. */
export function profileOf(
  settings: Offered,
  hardware: Hardware,
  runtimes: readonly RuntimeFacts[],
  isolation: IsolationLevel,
): WorkerProfile {
  const resources = resourcesOf(settings, hardware, runtimes);
  return {
    name: settings.name,
    capabilities: {
      runtimes: runtimes.map(({ name, class: runtimeClass }) => ({ name, class: runtimeClass })),
      isolation,
      gpuModel: hardware.gpus[0]?.model ?? null,
      region: settings.region,
      os: hardware.os,
      agent: AGENT,
    },
    resources,
    slots:
      settings.slots ??
      Math.min(MAX_HELD_ATTEMPTS, Math.max(1, Math.floor(resources.cpuMilli / 1_000))),
    asks: { gpuHour: String(settings.askGpuHour), cpuHour: String(settings.askCpuHour) },
    ...(settings.payout === null ? {} : { payout: settings.payout }),
  };
}

function resourcesOf(
  settings: Offered,
  hardware: Hardware,
  runtimes: readonly RuntimeFacts[],
): Resources {
  // A job that asks for a GPU must not land where it would run, and be billed, without one.
  const usable = runtimes.some(({ usesGpu }) => usesGpu) ? hardware.gpus.length : 0;
  const gpus = hardware.gpus.slice(0, settings.gpus ?? usable);
  return {
    gpuMilli: gpus.length * 1_000,
    vramMib: gpus.reduce((sum, { vramMib }) => sum + vramMib, 0),
    cpuMilli: settings.cpuMilli ?? hardware.cpuMilli,
    memoryMib: settings.memoryMib ?? Math.floor(hardware.memoryMib * 0.8),
    diskMib: settings.diskMib ?? Math.floor(hardware.diskMib / 2),
  };
}
