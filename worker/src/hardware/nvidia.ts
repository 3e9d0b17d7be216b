import { execFile } from 'node:child_process';
import type { Gpu } from './probe.js';

const QUERY = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];
/** A driver that hangs must not keep the agent from starting. */
const DEADLINE_MS = 10_000;

/** Runs a program and gives what it prints; rejects when it is missing, fails or takes too long. */
export type RunProgram = (file: string, args: readonly string[]) => Promise<string>;

/** The NVIDIA cards that nvidia-smi sees. None when it is not installed or fails: then a runtime could not use them either. */
export async function nvidiaGpus(run: RunProgram = runProgram): Promise<readonly Gpu[]> {
  try {
    return parseGpus(await run('nvidia-smi', QUERY));
  } catch {
    return [];
  }
}

/** Reads lines such as `NVIDIA H100 80GB HBM3, 81559`. A line it does not understand is no card. */
export function parseGpus(csv: string): readonly Gpu[] {
  return csv.split('\n').flatMap((line) => {
    const match = /^(.{1,64}), (\d{1,8})$/.exec(line.trim());
    return match === null ? [] : [{ model: match[1] ?? '', vramMib: Number(match[2]) }];
  });
}

const runProgram: RunProgram = (file, args) =>
  new Promise((resolve, reject) => {
    execFile(file, args, { timeout: DEADLINE_MS, encoding: 'utf8' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${file} failed`, { cause: error }));
    });
  });
