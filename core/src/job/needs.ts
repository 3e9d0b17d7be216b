import {
  ISOLATION_LEVELS,
  parseCountRange,
  parseSizeRange,
  type IsolationLevel,
  type JobSpec,
  type Resources,
} from '@tidemill/protocol';

/** What a task needs of a worker, in whole numbers. */
export interface Needs {
  readonly runtime: 'noop' | 'tfjs';
  readonly resources: Resources;
  readonly gpuModels: readonly string[];
  readonly isolation: IsolationLevel;
}

/** What a job gets that asks for nothing: small enough for any machine. */
const DEFAULTS = {
  noop: { cpuMilli: 100, memoryMib: 64, diskMib: 0 },
  tfjs: { cpuMilli: 500, memoryMib: 768, diskMib: 512 },
} as const;

/** The needs of each task of a spec whose ranges were checked; a range counts with its minimum. */
export function needsOf(spec: JobSpec): Needs {
  const runtime = spec.runtime.tfjs === undefined ? 'noop' : 'tfjs';
  const asked = spec.resources ?? {};
  const defaults = DEFAULTS[runtime];
  return {
    runtime,
    resources: {
      gpuMilli: Math.round((asked.gpus ?? 0) * 1000),
      vramMib: sizeOf(asked.vram, 0),
      cpuMilli:
        asked.cpu === undefined
          ? defaults.cpuMilli
          : (parseCountRange(asked.cpu)?.min ?? defaults.cpuMilli),
      memoryMib: sizeOf(asked.memory, defaults.memoryMib),
      diskMib: sizeOf(asked.disk, defaults.diskMib),
    },
    gpuModels: asked.gpuModels ?? [],
    isolation: asked.isolation ?? 'none',
  };
}

/** Whether a worker's isolation is at least what was asked for. */
export function isolatesAtLeast(level: IsolationLevel, asked: IsolationLevel): boolean {
  return ISOLATION_LEVELS.indexOf(level) >= ISOLATION_LEVELS.indexOf(asked);
}

function sizeOf(range: string | undefined, otherwise: number): number {
  return range === undefined ? otherwise : (parseSizeRange(range)?.min ?? otherwise);
}
