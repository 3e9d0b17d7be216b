import { describe, expect, test } from 'vitest';
import { cpuLevel } from './cpu-level.js';

const V2 = 'cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3';
const V3 = `${V2} avx2 bmi1 bmi2 f16c fma movbe`;
const V4 = `${V3} avx512f avx512bw avx512cd avx512dq avx512vl`;
const cpuinfo = (flags: string) => `processor\t: 0\nmodel name\t: some\nflags\t\t: fpu ${flags}\n`;

describe('the level of a processor', () => {
  test.each([
    [V4, 'x86-64-v4'],
    [V3, 'x86-64-v3'],
    [V2, 'x86-64-v2'],
    ['sse2', 'x86-64'],
    [`${V3} avx512f`, 'x86-64-v3'],
  ])('comes from its flags', (flags, level) => {
    expect(cpuLevel(cpuinfo(flags), 'x64')).toBe(level);
  });

  test('is the kind of machine where there are no such flags', () => {
    expect(cpuLevel('', 'arm64')).toBe('arm64');
    expect(cpuLevel('', 'x64')).toBe('x86-64');
  });
});
