import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, give, load, whenEqual } from './bpf.js';
import { DENIED_CALLS, seccompFilter, seccompProgram } from './seccomp.js';

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const X86_64 = 0xc000003e;

interface Call {
  readonly number: number;
  readonly arch?: number;
  readonly arguments?: readonly number[];
}

/** Runs the bytes as the kernel would, and tells what they answer. */
function judge(program: Buffer, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.arch ?? X86_64, 4);
  for (const [i, value] of (call.arguments ?? []).entries())
    data.writeUInt32LE(value >>> 0, 16 + i * 8);
  let loaded = 0;
  for (let at = 0; at * 8 < program.length; at++) {
    const code = program.readUInt16LE(at * 8);
    const [yes, no] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (isTrue: boolean) => {
      at += isTrue ? yes : no;
    };
    if (code === 0x20) loaded = data.readUInt32LE(value);
    else if (code === 0x15) jump(loaded === value);
    else if (code === 0x35) jump(loaded >= value);
    else if (code === 0x45) jump((loaded & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program ran past its end');
}

const filter = seccompFilter('x64') ?? Buffer.alloc(0);
const denied = new Set<number>(Object.values(DENIED_CALLS));
const SPECIAL = [16, 41, 56, 135, 435];

describe('the filter on system calls', () => {
  test('refuses what is on the list and lets every other call through', () => {
    for (let number = 0; number < 600; number++) {
      if (SPECIAL.includes(number)) continue;
      expect([number, judge(filter, { number })]).toEqual([
        number,
        denied.has(number) ? EPERM : ALLOW,
      ]);
    }
  });

  test('always comes to an answer, and never allows a call of another interface', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(word, word, fc.array(word, { maxLength: 6 }), (number, arch, args) => {
        const answer = judge(filter, { number, arch, arguments: args });
        if (arch !== X86_64) expect(answer).toBe(KILL);
        else if (number >= 0x4000_0000) expect(answer).toBe(EPERM);
      }),
      { numRuns: 5_000 },
    );
  });

  test('lets clone make threads and processes, but no namespace, in whatever company its flag comes', () => {
    const pthread = 0x003d_0f00;
    expect(judge(filter, { number: 56, arguments: [pthread] })).toBe(ALLOW);
    expect(judge(filter, { number: 56, arguments: [17] })).toBe(ALLOW);
    for (const flag of [
      0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ])
      expect(judge(filter, { number: 56, arguments: [flag | 17] })).toBe(EPERM);
    expect(judge(filter, { number: 435 })).toBe(ENOSYS);
  });

  test('looks at one argument where that is what matters', () => {
    expect(judge(filter, { number: 41, arguments: [1] })).toBe(ALLOW);
    for (const family of [0, 2, 10, 16, 17, 40])
      expect(judge(filter, { number: 41, arguments: [family] })).toBe(EPERM);
    expect(judge(filter, { number: 135, arguments: [0] })).toBe(ALLOW);
    expect(judge(filter, { number: 135, arguments: [0x0040000] })).toBe(EPERM);
    expect(judge(filter, { number: 16, arguments: [0, 0x5412] })).toBe(EPERM);
    expect(judge(filter, { number: 16, arguments: [0x5412, 0x5401] })).toBe(ALLOW);
  });

  test('is not offered for machines whose calls have other numbers', () => {
    expect(seccompFilter('arm64')).toBeNull();
    expect(filter.length).toBe(seccompProgram().length * 8);
    expect(seccompProgram().length).toBeLessThan(4_096);
  });
});

describe('the assembler', () => {
  test('writes what the kernel documents: code, two jumps, a value', () => {
    expect(assemble([load(4), ...whenEqual(7, [give(1)]), give(2)]).toString('hex')).toBe(
      '2000000004000000' + '1500000107000000' + '0600000001000000' + '0600000002000000',
    );
  });

  test('refuses a block that a jump cannot cross', () => {
    expect(() =>
      whenEqual(
        1,
        Array.from({ length: 256 }, () => give(0)),
      ),
    ).toThrow(RangeError);
  });
});
