import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { IsolationLevel } from '@tidemill/protocol';
import { ConfinedProcess } from './confined-process.js';
import { ProbeReport } from './probe/report.js';
import type { ReadOnlyMount, Sandbox } from './sandbox.js';

/** The code a self-test starts: the probe's entry and the mounts that jobs will get. */
export interface ProbeCode {
  readonly entry: string;
  readonly mounts: readonly ReadOnlyMount[];
}

const DEADLINE_MS = 20_000;
const LIMITS = { memoryMib: 512, cpuSeconds: 10, processes: 64, openFiles: 64 };

/**
 * Starts a small program in the sandbox and looks at what it could do. Returns null when the confinement is what its level
 * promises, else what is wrong: a sandbox that does not work is never used for a job.
 */
export async function selfTest(sandbox: Sandbox, code: ProbeCode): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-self-test-'));
  const secret = join(folder, 'secret');
  try {
    writeFileSync(secret, 'not for the program');
    chmodSync(secret, 0o600);
    const program = {
      ...code,
      nodeFlags: [],
      arguments: [secret],
      environment: {},
      limits: LIMITS,
    };
    const running = new ConfinedProcess(sandbox, program, {
      wallMs: DEADLINE_MS,
      signal: new AbortController().signal,
    });
    running.input.end();
    const [text, errors] = await Promise.all([
      read(running.events),
      read(running.errors),
      read(running.output),
    ]);
    const { exitCode, signal } = await running.ended;
    if (exitCode !== 0)
      return `a program does not run in it (${signal ?? `exit ${exitCode}`}): ${errors.trim().slice(-400)}`;
    return weakness(ProbeReport.parse(JSON.parse(text)), sandbox.level);
  } catch (error) {
    return `it does not start: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first promise of the level that the report breaks, or null. */
export function weakness(report: ProbeReport, level: IsolationLevel): string | null {
  if (report.uid === 0) return 'the program runs as root';
  if (!/^0+$/.test(report.capabilities))
    return `the program has capabilities (${report.capabilities})`;
  if (level === 'process') return null;
  if (report.interfaces.some((name) => name !== 'lo'))
    return `the program has a network (${report.interfaces.join(' ')})`;
  if (report.processes > 8) return `the program sees ${report.processes} processes`;
  if (level === 'namespaces') return null;
  if (report.canReadSecret) return 'the program reads files of this machine';
  if (report.canWrite) return 'the program can write files';
  if (!report.noNewPrivileges) return 'the program can gain privileges';
  return report.hasFilter ? null : 'no filter on system calls is active';
}

async function read(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>)
    if (text.length < 65_536) text += chunk.toString('utf8');
  return text;
}
