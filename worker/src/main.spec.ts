import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type SocketOrchestrator,
  startSocketOrchestrator,
} from './link/testing/socket-orchestrator.js';
import { buildWorker } from './runtime/testing/build.js';
import { anOffer } from './testing/builders.js';
import { eventually } from './testing/eventually.js';

let main: string;
let folder: string;
let server: SocketOrchestrator;
let children: ChildProcessWithoutNullStreams[] = [];

beforeAll(async () => {
  main = join(await buildWorker(), 'dist', 'main.js');
}, 150_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-main-'));
  server = await startSocketOrchestrator();
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** The agent in a process of its own; its log as it comes. */
function start(...flags: string[]) {
  return follow(process.execPath, main, ...flags);
}

function follow(command: string, ...args: string[]) {
  const child = spawn(command, args, { timeout: 60_000 });
  children.push(child);
  const messages: string[] = [];
  const texts: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    texts.push(line);
    if (line.startsWith('{')) messages.push((JSON.parse(line) as { msg: string }).msg);
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, messages, texts, exited };
}

const started = () =>
  start('--orchestrator', `http://${server.host}`, '--state-dir', folder, '--name', 'by-process');

test('an agent joins, works, and leaves when it is asked to', async () => {
  const agent = started();
  await eventually(() => agent.messages.includes('joined'), 30_000);
  const offer = anOffer({ noop: { sleepMs: 300 } });
  server.orchestrator.offer(offer);
  await eventually(() => agent.messages.includes('attempt accepted'));
  agent.child.kill('SIGTERM');
  expect(await agent.exited).toBe(0);
  expect(server.orchestrator.receipts.get(offer.attemptId)).toMatchObject({ outcome: 'succeeded' });
  expect(server.orchestrator.breaches).toEqual([]);
  expect(JSON.parse(await readFile(join(folder, 'status.json'), 'utf8'))).toMatchObject({
    state: 'stopped',
    totals: { succeeded: 1 },
  });
});

test('an agent that was started behind everything else offers what any other does', async () => {
  const flags = ['--orchestrator', `http://${server.host}`, '--state-dir', folder];
  const agent = follow('nice', '-n', '15', process.execPath, main, ...flags);
  await eventually(() => agent.messages.includes('joined'), 30_000);
  expect(agent.messages).not.toContain('runtime not offered');
  agent.child.kill('SIGTERM');
  expect(await agent.exited).toBe(0);
});

test('a receipt survives the sudden death of its agent, and no second agent works beside the first', async () => {
  server.orchestrator.acknowledgesReceipts = false;
  const first = started();
  await eventually(() => first.messages.includes('joined'), 30_000);
  const second = started();
  expect(await second.exited).toBe(1);
  expect(second.texts.join('\n')).toContain('in use by process');

  const offer = anOffer();
  server.orchestrator.offer(offer);
  await eventually(() => server.orchestrator.receipts.has(offer.attemptId));
  first.child.kill('SIGKILL');
  await first.exited;

  server.orchestrator.receipts.clear();
  server.orchestrator.acknowledgesReceipts = true;
  const next = started();
  await eventually(() => server.orchestrator.receipts.has(offer.attemptId), 30_000);
  await eventually(() => next.messages.includes('receipt acknowledged'));
  next.child.kill('SIGTERM');
  expect(await next.exited).toBe(0);
});

test('wrong settings are all named before anything is done', async () => {
  const agent = start('--slots', '0', '--state-dir', folder, '--log-level', 'loud');
  expect(await agent.exited).toBe(2);
  expect(agent.texts.map((line) => line.split(' ')[0])).toEqual([
    '--orchestrator',
    '--slots',
    '--log-level',
    'See',
  ]);
});
