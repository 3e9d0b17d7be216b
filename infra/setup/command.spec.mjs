import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { isRunning } from '../localnet/src/testing/running.ts';
import { until } from '../localnet/src/testing/until.ts';
import { CommandError, findProgram, runCommand } from './command.mjs';

const node = (code) => [process.execPath, ['-e', code]];

test('a command that succeeds gives what it printed', async () => {
  expect(await runCommand(...node(`console.log('found')`), { deadlineMs: 10_000 })).toBe('found\n');
});

test('a command that fails tells its status and its words', async () => {
  const failing = runCommand(...node(`console.error('no space left'); process.exit(3)`), {
    deadlineMs: 10_000,
  });
  await expect(failing).rejects.toThrow(CommandError);
  await expect(failing).rejects.toThrow(/failed \(status 3\)\nno space left/);
});

test('of a long output the message keeps the first and the last words', async () => {
  const failing = runCommand(
    ...node(`console.log('cause' + '.'.repeat(9000) + 'end'); process.exit(1)`),
    {
      deadlineMs: 10_000,
    },
  );
  const error = await failing.catch((caught) => caught);
  expect(error.message).toMatch(/cause\.+\n…\n\.+end$/);
  expect(error.message.length).toBeLessThan(4_000);
  expect(error.output).toContain(`cause${'.'.repeat(9000)}end`);
});

test('a command that does not exist is an error like any other', async () => {
  await expect(runCommand('/no/such/program', [], { deadlineMs: 1_000 })).rejects.toThrow(
    'could not be started',
  );
});

test('at the deadline the command ends with everything that it started', async () => {
  const parent = `const child = require('node:child_process').spawn('sleep', ['300']); console.log(child.pid); setInterval(() => {}, 1000);`;
  const late = await runCommand(...node(parent), { deadlineMs: 700 }).catch((caught) => caught);
  expect(late.message).toMatch(/was stopped after 0\.7 s/);
  await until('the command has ended', () => !isRunning(Number(late.output)));
});

test('a command ends with the process that runs it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-command-'));
  const pidFile = join(folder, 'pid');
  const code = `
    import { runCommand } from ${JSON.stringify(new URL('command.mjs', import.meta.url).href)};
    const script = 'echo $$ > "$1.draft"; mv "$1.draft" "$1"; exec sleep 300';
    await runCommand('sh', ['-c', script, 'sh', ${JSON.stringify(pidFile)}], { deadlineMs: 60_000 });`;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  await until('the command runs', () => existsSync(pidFile));
  const pid = Number(readFileSync(pidFile, 'utf8'));
  expect(isRunning(pid)).toBe(true);
  runner.kill('SIGTERM');
  expect(await once(runner, 'exit')).toEqual([143, null]);
  await until('the command has ended', () => !isRunning(pid));
  rmSync(folder, { recursive: true });
});

test('programs are found on the PATH', () => {
  expect(findProgram('sh', { PATH: '/no/such/folder:/bin' })).toBe('/bin/sh');
  expect(findProgram('sh', { PATH: '/no/such/folder' })).toBeUndefined();
  expect(findProgram('sh', {})).toBeUndefined();
});
