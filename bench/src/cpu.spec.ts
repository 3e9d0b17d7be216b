import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { cpuSeconds, parseStat, residentMib } from './cpu.js';

const BURN_300_MS =
  'const used = () => { const { user, system } = process.cpuUsage(); return user + system; };' +
  'const end = used() + 300000; while (used() < end);';
const WAIT = 'console.log("done"); process.stdin.resume();';

describe('parseStat', () => {
  it('reads the times behind a name with spaces and parentheses', () => {
    const line =
      '42 (a) R (b c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 11 0 5 6 7 8\n';
    expect(parseStat(line)).toEqual({ pid: 42, parent: 7, own: 120, reaped: 3400 });
  });
});

describe('cpuSeconds', () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  async function run(script: string): Promise<number> {
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    started.push(child);
    await once(child.stdout, 'data');
    return child.pid as number;
  }

  it('counts what a process has used itself', async () => {
    expect(cpuSeconds(await run(BURN_300_MS + WAIT))).toBeGreaterThanOrEqual(0.3);
  });

  it('counts a child that has ended', async () => {
    const script = `require('node:child_process').execFileSync(process.execPath, ['-e', '${BURN_300_MS}']);`;
    expect(cpuSeconds(await run(script + WAIT))).toBeGreaterThanOrEqual(0.3);
  });

  it('counts a grandchild that still lives', async () => {
    const inner = JSON.stringify(`${BURN_300_MS} console.log(1); process.stdin.resume();`);
    const script =
      `const child = require('node:child_process').spawn(process.execPath, ['-e', ${inner}], { stdio: ['pipe', 'pipe', 'inherit'] });` +
      `child.stdout.once('data', () => { ${WAIT} });`;
    expect(cpuSeconds(await run(script))).toBeGreaterThanOrEqual(0.3);
  });

  it('counts threads that have ended', async () => {
    const thread = JSON.stringify(
      'const end = Date.now() + 300; while (Date.now() < end); for (let i = 0; i < 3e8; i += 1);',
    );
    const script = `new (require('node:worker_threads').Worker)(${thread}, { eval: true }).once('exit', () => { ${WAIT} });`;
    const idle = cpuSeconds(await run(WAIT));
    expect(cpuSeconds(await run(script)) - idle).toBeGreaterThanOrEqual(0.15);
  });

  it('does not count processes beside it', async () => {
    const idle = await run(WAIT);
    const before = cpuSeconds(idle);
    await run(BURN_300_MS + WAIT);
    expect(cpuSeconds(idle) - before).toBeLessThan(0.1);
  });

  it('refuses a process that is not there', () => {
    expect(() => cpuSeconds(2 ** 30)).toThrow('no process');
  });
});

describe('residentMib', () => {
  it('says about what the process says of itself', () => {
    const own = process.memoryUsage.rss() / 2 ** 20;
    expect(residentMib(process.pid)).toBeGreaterThan(own * 0.8);
    expect(residentMib(process.pid)).toBeLessThan(own * 1.2);
  });
});
