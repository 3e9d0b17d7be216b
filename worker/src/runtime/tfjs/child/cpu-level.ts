/** Feature levels of the x86-64 psABI, strongest first, by the flags that tell them apart. */
const LEVELS = [
  ['x86-64-v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
  ['x86-64-v3', ['avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe']],
  ['x86-64-v2', ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3']],
] as const;

/** The widest set of instructions the libraries may choose their code by; part of the runtime class. */
export function cpuLevel(cpuinfo: string, arch: string): string {
  if (arch !== 'x64') return arch;
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' '));
  return LEVELS.find(([, needed]) => needed.every((flag) => flags.has(flag)))?.[0] ?? 'x86-64';
}
