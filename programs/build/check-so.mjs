// Refuses a .so that the upstream BPF route can silently get wrong (SBPF v0):
// LLVM passes a 6th and later argument through positive offsets of r10, which on
// SBPF v0 lands in the unmapped gap between stack frames. Also prints the sha256.
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

const file = process.argv[2];
const b = readFileSync(file);
const version = b.readUInt32LE(48);
const shoff = Number(b.readBigUInt64LE(40)),
  shnum = b.readUInt16LE(60),
  shstr = b.readUInt16LE(62);
const sec = (i) => ({
  name: b.readUInt32LE(shoff + i * 64),
  off: Number(b.readBigUInt64LE(shoff + i * 64 + 24)),
  size: Number(b.readBigUInt64LE(shoff + i * 64 + 32)),
});
const strtab = sec(shstr).off;
const nameOf = (s) => b.toString('latin1', strtab + s.name, b.indexOf(0, strtab + s.name));
let bad = 0;
for (let i = 0; i < shnum; i++) {
  const s = sec(i);
  if (nameOf(s) !== '.text') continue;
  for (let o = 0; o < s.size; o += 8) {
    const op = b[s.off + o],
      dst = b[s.off + o + 1] & 15,
      src = b[s.off + o + 1] >> 4,
      off = b.readInt16LE(s.off + o + 2);
    if (op === 0x18) {
      o += 8;
      continue;
    }
    const store = [0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b].includes(op) && dst === 10;
    const load = [0x61, 0x69, 0x71, 0x79].includes(op) && src === 10;
    if (
      version === 0 &&
      ((store && off >= 0) || ((store || load) && off < -4096) || (load && off >= 0))
    ) {
      bad++;
      console.error(
        `insn ${o / 8}: opcode 0x${op.toString(16)} at [r10${off >= 0 ? '+' : ''}${off}]: a function takes more than 5 argument registers (slices count 2, a hidden return pointer 1)`,
      );
    }
  }
}
console.log(
  `${file}: SBPF v${version}, ${b.length} bytes, sha256 ${createHash('sha256').update(b).digest('hex')}`,
);
process.exit(bad ? 1 : 0);
