/** One instruction of a classic BPF program: `struct sock_filter`. */
export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly value: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const JUMP_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

export const load = (offset: number): Instruction => ({
  code: LOAD_WORD,
  jumpTrue: 0,
  jumpFalse: 0,
  value: offset,
});
export const give = (value: number): Instruction => ({
  code: RETURN,
  jumpTrue: 0,
  jumpFalse: 0,
  value,
});

/** Runs `then` when the loaded word equals `value`, and otherwise goes on behind it. */
export function whenEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return branch(JUMP_EQUAL, value, then);
}

export function whenAtLeast(value: number, then: readonly Instruction[]): Instruction[] {
  return branch(JUMP_AT_LEAST, value, then);
}

/** Runs `then` when any of the bits is set. */
export function whenAnyBit(bits: number, then: readonly Instruction[]): Instruction[] {
  return branch(JUMP_ANY_BIT, bits, then);
}

/** Runs `then` when the loaded word is anything but `value`. */
export function unlessEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: JUMP_EQUAL, jumpTrue: skip(then), jumpFalse: 0, value }, ...then];
}

function branch(code: number, value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code, jumpTrue: 0, jumpFalse: skip(then), value }, ...then];
}

/** A jump is one byte: a longer block is a bug in the filter, not something to truncate. */
function skip(block: readonly Instruction[]): number {
  if (block.length > 255)
    throw new RangeError(`a block of ${block.length} instructions is too long to jump over`);
  return block.length;
}

/** The bytes the kernel takes: 8 for each instruction, little endian. */
export function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [i, { code, jumpTrue, jumpFalse, value }] of program.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jumpTrue, i * 8 + 2);
    bytes.writeUInt8(jumpFalse, i * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, i * 8 + 4);
  }
  return bytes;
}
