import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { treeUsage } from './process-tree.js';

describe('what a tree of processes uses', () => {
  test('counts children with their parents, and their memory and time', async () => {
    const parent = spawn(
      'sh',
      ['-c', `${process.execPath} -e "const a = Buffer.alloc(64e6, 1); for (;;) a[0]++" & wait`],
      { detached: true, stdio: 'ignore' },
    );
    const { pid } = parent;
    if (pid === undefined) throw new Error('it was not started');
    try {
      let usage = treeUsage(pid);
      for (let i = 0; i < 100 && usage.cpuMs < 300; i++) {
        await sleep(50);
        usage = treeUsage(pid);
      }
      expect(usage.processes).toBe(2);
      expect(usage.threads).toBeGreaterThan(2);
      expect(usage.rssMib).toBeGreaterThan(60);
      expect(usage.cpuMs).toBeGreaterThanOrEqual(300);
    } finally {
      process.kill(-pid, 'SIGKILL');
    }
  });

  test('is nothing for a process that is not there', () => {
    expect(treeUsage(0x3f_ffff)).toEqual({ processes: 0, threads: 0, rssMib: 0, cpuMs: 0 });
  });
});
