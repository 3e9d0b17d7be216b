import type { ConfinedLimits } from './sandbox.js';

const MIB = 1024 * 1024;
/** Node, V8 and TensorFlow reserve this much address space before they use any of it. */
const RESERVED_MIB = 6_144;
/** Stacks, code and the libraries' own data beside what the program asks for. */
const OVERHEAD_MIB = 768;

/** The command that sets the limits of this process and then becomes the next command, at a low priority. */
export function limitCommand(limits: ConfinedLimits): string[] {
  const bound = (name: string, value: number) => `--${name}=${value}:${value}`;
  return [
    'nice',
    '-n',
    '10',
    'prlimit',
    bound('as', (limits.memoryMib + RESERVED_MIB) * MIB),
    bound('data', (limits.memoryMib + OVERHEAD_MIB) * MIB),
    bound('cpu', limits.cpuSeconds),
    bound('nproc', limits.processes),
    bound('nofile', limits.openFiles),
    bound('fsize', 0), // nothing is written but to pipes; a file that is only memory would escape the other limits
    bound('core', 0),
    bound('memlock', 0),
    bound('msgqueue', 0),
    '--',
  ];
}
