import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const tools = process.env.SBF_TOOLS ?? join(homedir(), '.cache', 'sbf-tools');
const linker = join(tools, 'bin', 'sbpf-linker');

/** The versions of what makes the bytes, or null when something is missing. */
export function toolVersions() {
  const core = '/usr/lib/rustlib/bpfel-unknown-none';
  if (![linker, '/usr/bin/rustc', '/usr/bin/cargo', core].every(existsSync)) return null;
  const [linkerVersion, llvm] = linesOf(linker);
  const [rustc] = linesOf('/usr/bin/rustc');
  return { rustc, linker: linkerVersion, llvm };
}

function linesOf(program) {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split('\n');
}
