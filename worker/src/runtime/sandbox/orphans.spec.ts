import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildWorker } from '../testing/build.js';
import { ProbeFolder, canProbe } from './testing/probe.js';

// Each test starts processes, and other tests share the machine.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(!canProbe())('when the worker is killed', () => {
  let probes: ProbeFolder;
  let worker: string;

  beforeAll(async () => {
    worker = await buildWorker();
    probes = new ProbeFolder();
  }, 180_000);

  afterAll(() => {
    rmSync(probes.path, { recursive: true, force: true });
  });

  test('what it confined ends with it', async () => {
    const mark = `tidemill-orphan-${process.pid}`;
    const script = `
      import { BubblewrapSandbox } from ${JSON.stringify(join(worker, 'dist/runtime/sandbox/bubblewrap.js'))};
      new BubblewrapSandbox().start({
        entry: ${JSON.stringify(join(probes.path, 'inside.mjs'))}, nodeFlags: [], arguments: ['spin', '${mark}'],
        mounts: [{ source: ${JSON.stringify(probes.path)}, target: '/app/probes' }], environment: {},
        limits: { memoryMib: 512, cpuSeconds: 60, processes: 64, openFiles: 64 },
      });
      setInterval(() => {}, 1000);`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'ignore',
    });
    await until(() => marked(mark).length > 0);
    host.kill('SIGKILL');
    await until(() => marked(mark).length === 0);
    expect(marked(mark)).toEqual([]);
  });

  /** Processes with the mark among their words, the script itself left out. */
  function marked(mark: string): string[] {
    return readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && wordsOf(name).includes(mark),
    );
  }

  function wordsOf(pid: string): string[] {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    } catch {
      return []; // it has ended
    }
  }

  async function until(isTrue: () => boolean): Promise<void> {
    for (let i = 0; i < 100 && !isTrue(); i++) await sleep(50);
    expect(isTrue()).toBe(true);
  }
});
