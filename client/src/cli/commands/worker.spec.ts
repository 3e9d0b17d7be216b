import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { afterEach, expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';
import { agentLine } from '../agent/agent-lines.js';

const cli = cliCase();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that stands for the agent and holds the lock of its folder; `program` is JavaScript. */
async function anAgent(program: string): Promise<{ folder: string; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    ['-e', `${program}; console.log('up'); setInterval(() => {}, 1000)`],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const folder = join(cli.home, '.tidemill', 'worker');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'agent.lock'),
    JSON.stringify({ pid: child.pid, started: startOf(child.pid) }),
  );
  return { folder, child };
}

function startOf(pid: number | undefined): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

const status = (pid: number | undefined) => ({
  state: 'online',
  name: 'worker-1',
  publicKey: 'k',
  workerId: 'wrk_1',
  orchestrator: 'http://127.0.0.1:7070',
  isolation: 'process',
  isolationDetail: 'noop: nothing to keep apart',
  pid,
  startedAt: '2030-01-01T00:00:00Z',
  updatedAt: '2030-01-01T00:00:10Z',
  slots: { offered: 1, free: 0 },
  resources: {
    offered: { cpuMilli: 600, memoryMib: 1024, gpuMilli: 0, vramMib: 0, diskMib: 0 },
    free: { cpuMilli: 0, memoryMib: 24, gpuMilli: 0, vramMib: 0, diskMib: 0 },
  },
  outbox: 2,
  attempts: [
    {
      attemptId: 'att_1',
      jobId: 'job_1',
      taskId: 'tsk_1',
      phase: 'running',
      elapsedMs: 3200,
      progress: { step: 4, totalSteps: 9 },
    },
  ],
  totals: { succeeded: 5, failed: 1, cancelled: 0, stopped: 0 },
});

test('a machine without a worker says how to get one', async () => {
  for (const command of ['status', 'drain', 'leave']) {
    const { code, err } = await cli.tidemill(`worker ${command}`);
    expect(code).toBe(1);
    expect(err).toContain('tidemill worker join');
  }
});

test('the status of the worker on this machine is shown', async () => {
  const { folder, child } = await anAgent('');
  writeFileSync(join(folder, 'status.json'), JSON.stringify(status(child.pid)));
  const { code, out } = await cli.tidemill('worker status');
  expect(code).toBe(0);
  expect(out).toMatch(/state +online/);
  expect(out).toMatch(/att_1 +job_1 +running +3\.2 s +4\/9/);
  expect(JSON.parse((await cli.tidemill('worker status --json')).out)).toMatchObject({ outbox: 2 });
});

test('the status that an earlier worker left behind is not shown as today’s', async () => {
  const { folder } = await anAgent('');
  writeFileSync(join(folder, 'status.json'), JSON.stringify(status(1)));
  const { code, err } = await cli.tidemill('worker status');
  expect(code).toBe(1);
  expect(err).toContain('has not written its status yet');
});

test('drain asks once and waits until the worker has left', async () => {
  await anAgent("process.on('SIGTERM', () => setTimeout(() => process.exit(0), 300))");
  const { code, out } = await cli.tidemill('worker drain');
  expect(code).toBe(0);
  expect(out).toContain('has left');
});

test('leave insists when the worker would first finish what it runs', async () => {
  await anAgent(
    "let n = 0; process.on('SIGTERM', () => { n += 1; if (n === 2) process.exit(0); })",
  );
  expect((await cli.tidemill('worker leave')).code).toBe(0);
});

test('a lock whose process number went to a stranger is left alone', async () => {
  const { folder, child } = await anAgent('');
  writeFileSync(join(folder, 'agent.lock'), JSON.stringify({ pid: child.pid, started: '1' }));
  expect((await cli.tidemill('worker leave')).code).toBe(1);
  expect(child.exitCode).toBeNull();
  expect(child.signalCode).toBeNull();
});

test('a line of the agent’s log reads as a sentence with its facts', () => {
  const line = JSON.stringify({
    level: 30,
    time: Date.UTC(2030, 0, 1, 1, 2, 3),
    name: 'w',
    msg: 'attempt accepted',
    attemptId: 'att_1',
    n: 2,
  });
  expect(agentLine(line, pc.createColors(false))).toBe(
    '01:02:03  attempt accepted  attemptId=att_1 n=2',
  );
  expect(agentLine('plain \u001b[31mtext', pc.createColors(false))).toBe('plain text');
});
