import { mkdir, statfs } from 'node:fs/promises';
import { availableParallelism, arch, platform, release, totalmem } from 'node:os';
import { nvidiaGpus, type RunProgram } from './nvidia.js';
import type { HardwareProbe } from './probe.js';

const MIB = 1024 * 1024;

/** The machine this process runs on. `folder` is where the agent keeps its state: its file system is what can be lent. */
export function machineProbe(folder: string, run?: RunProgram): HardwareProbe {
  return {
    async probe() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const [disk, gpus] = await Promise.all([statfs(folder), nvidiaGpus(run)]);
      return {
        cpuMilli: availableParallelism() * 1_000,
        memoryMib: Math.floor(totalmem() / MIB),
        diskMib: Math.floor((disk.bavail * disk.bsize) / MIB),
        gpus,
        os: `${platform()} ${arch()} ${release()}`.slice(0, 64),
      };
    },
  };
}
