import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../free-port.js';
import { builtDoor } from '../testing/built.js';
import { isRunning } from '../testing/running.js';
import { until } from '../testing/until.js';
import { ProcessError, startProcess, type StartProcessOptions } from './start-process.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemill-processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let door: string;
beforeAll(async () => {
  door = await builtDoor();
});

let files = 0;
function script(code: string, options: Partial<StartProcessOptions> = {}): StartProcessOptions {
  files += 1;
  return {
    name: 'the script',
    command: process.execPath,
    args: ['-e', code],
    logFile: join(folder, `logs/${files}.log`),
    readyWhen: { line: /ready/ },
    ...options,
  };
}

const STAY = 'setInterval(() => {}, 1000);';
const CHILD = `const child = require('node:child_process').spawn('sleep', ['300']); console.log('ready', child.pid);`;

test('it is ready when its line appears, and the match says what the line told', async () => {
  const running = await startProcess(
    script(
      `console.error('starting'); setTimeout(() => console.log('ready on port 4711'), 100); ${STAY}`,
      {
        readyWhen: { line: /ready on port (\d+)/ },
      },
    ),
  );
  expect(running.readyLine?.[1]).toBe('4711');
  expect(readFileSync(running.logFile, 'utf8')).toBe('starting\nready on port 4711\n');
  expect(await running.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test('it is ready when its URL answers 200, not before', async () => {
  const port = await freePort();
  const server = `
    let answer = 503; setTimeout(() => { answer = 200; console.log('answers from now on'); }, 300);
    require('node:http').createServer((_, res) => { res.statusCode = answer; res.end(); }).listen(${port}, '127.0.0.1');`;
  const running = await startProcess(
    script(server, { readyWhen: { url: `http://127.0.0.1:${port}/ready` } }),
  );
  expect(readFileSync(running.logFile, 'utf8')).toContain('answers from now on');
  await running.stop();
  expect(isRunning(running.pid)).toBe(false);
});

test('a process that ends before it is ready fails at once, with its last output', async () => {
  const started = startProcess(script(`console.error('no such port'); process.exit(3)`));
  await expect(started).rejects.toThrow(ProcessError);
  await expect(started).rejects.toThrow(/the script ended \(status 3\).*no such port/s);
});

test('a process that is not ready in time is stopped', async () => {
  const started = startProcess(
    script(`console.log(process.pid); ${STAY}`, { startDeadlineMs: 400 }),
  );
  const error: unknown = await started.catch((caught: unknown) => caught);
  expect(String(error)).toContain('did not print /ready/ within 400 ms');
  const pid = Number(/^\d+$/m.exec(String(error))?.[0]);
  expect(pid).toBeGreaterThan(0);
  expect(isRunning(pid)).toBe(false);
});

test('a command or folder that does not exist is an error, not a crash', async () => {
  await expect(startProcess(script('', { command: '/no/such/program' }))).rejects.toThrow(
    /status 127/,
  );
  await expect(startProcess(script('', { cwd: '/no/such/folder' }))).rejects.toThrow(
    '/no/such/folder',
  );
});

test('a stop lets the process end its own way', async () => {
  const running = await startProcess(
    script(
      `process.on('SIGTERM', () => { console.log('drained'); process.exit(5); }); console.log('ready'); ${STAY}`,
    ),
  );
  expect(await running.stop()).toEqual({ code: 5, signal: null });
  expect(readFileSync(running.logFile, 'utf8')).toContain('drained');
  expect(await running.stop()).toEqual({ code: 5, signal: null });
});

test('a process that ignores the stop is killed at the deadline, its children too', async () => {
  const running = await startProcess(
    script(`process.on('SIGTERM', () => {}); ${CHILD} ${STAY}`, {
      readyWhen: { line: /ready (\d+)/ },
      stopDeadlineMs: 300,
    }),
  );
  const child = Number(running.readyLine?.[1]);
  expect(isRunning(child)).toBe(true);
  expect(await running.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  await until('the child has ended', () => !isRunning(child));
});

test('children do not survive a process that was killed', async () => {
  const running = await startProcess(
    script(`${CHILD} ${STAY}`, { readyWhen: { line: /ready (\d+)/ } }),
  );
  const child = Number(running.readyLine?.[1]);
  running.signal('SIGKILL');
  expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
  await until('the child has ended', () => !isRunning(child));
  expect(running.signal('SIGTERM')).toBe(false);
});

test('a line can be waited for later, and one that never comes says so', async () => {
  const running = await startProcess(
    script(
      `console.log('ready'); setTimeout(() => console.log('größer: 1'), 200); setTimeout(() => process.exit(0), 600)`,
    ),
  );
  expect((await running.waitForLine(/größer: (\d)/, 5_000))[1]).toBe('1');
  await expect(running.waitForLine(/never said/, 200)).rejects.toThrow('within 200 ms');
  await expect(running.waitForLine(/never said/, 5_000)).rejects.toThrow('ended (status 0)');
});

test('neither the process nor its children survive a starter that is killed', async () => {
  const starter = await startProcess(
    starterScript(
      script(`process.on('SIGTERM', () => {}); ${CHILD} ${STAY}`, {
        readyWhen: { line: /ready (\d+)/ },
      }),
    ),
  );
  const [pid, child] = [Number(starter.readyLine?.[1]), Number(starter.readyLine?.[2])];
  expect([isRunning(pid), isRunning(child)]).toEqual([true, true]);
  starter.signal('SIGKILL');
  await starter.ended;
  await until('both have ended', () => !isRunning(pid) && !isRunning(child));
});

test('nothing of a process keeps a pipe of the starter open', async () => {
  const options = starterScript(script(`console.log('ready'); ${STAY}`));
  const starter = spawn(options.command, [...options.args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(starter.stdout, 'data');
  starter.kill('SIGKILL');
  await Promise.all([once(starter, 'exit'), once(starter.stdout, 'close')]);
  expect(starter.signalCode).toBe('SIGKILL');
});

/** A script that itself starts a process, as the demo does, and prints both pids. */
function starterScript(inner: StartProcessOptions): StartProcessOptions {
  const { readyWhen, ...plain } = inner;
  const line = 'line' in readyWhen ? String(readyWhen.line) : '';
  return script(
    `import(${JSON.stringify(door)}).then(async ({ startProcess }) => {
      const running = await startProcess({ ...${JSON.stringify(plain)}, stopDeadlineMs: 500, readyWhen: { line: ${line} } });
      console.log('started', running.pid, running.readyLine[1]);
    });`,
    { readyWhen: { line: /started (\d+) (\d+|undefined)/ } },
  );
}
