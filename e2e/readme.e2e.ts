import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';
import { blocksOf } from './harness/fenced-blocks.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';

// Every block of README.md is executed here as it stands there. Only what differs on every machine is put in: the address of the
// network, the key that was printed, and where the checkout lies.

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const blocks = blocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8'));

/** The commands that start all of this: e2e/demo.e2e.ts tells the demo's story and keeps its network; `npm test` runs this file. */
const ELSEWHERE = ['demo', 'test', 'keep'];
const HERE = [
  ...['terminal', 'join', 'joined', 'drain', 'curl', 'curl-watch', 'run'],
  ...['digits.yaml', 'yaml', 'submit.mjs', 'watch', 'open'],
];

let net: TestNetwork;
/** Stands for the checkout: what the commands write lands here and not in the repository. */
let checkout: string;
let key: string;
let joined: ChildProcess | undefined;

beforeAll(async () => {
  net = await testNetwork({ workers: 2 });
  const submitter = await net.aSubmitter('50');
  ({ key } = await submitter.client.keys.create({
    name: 'readme',
    scopes: ['jobs:read', 'jobs:write', 'artifacts:read', 'artifacts:write', 'account:read'],
  }));
  checkout = join(submitter.home, 'checkout');
  mkdirSync(checkout);
  for (const name of ['bench', 'node_modules', 'tidemill'])
    symlinkSync(join(ROOT, name), join(checkout, name));
});
afterAll(async () => {
  if (joined?.exitCode === null) await sh('drain');
  await net.stop();
});

function block(name: string): string {
  const found = blocks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`README.md has no block ${name}`);
  return found.text
    .replaceAll('http://127.0.0.1:7070', net.url)
    .replaceAll('tmk_the-key-that-was-printed', key)
    .replaceAll('/path/to/tidemill/', `${checkout}/`);
}

/** The block in a shell of its own, in the terminal that the page has set up. */
function script(name: string): readonly string[] {
  const exports = block('terminal')
    .split('\n')
    .filter((line) => line.startsWith('export '));
  return ['--norc', '-euo', 'pipefail', '-c', `${exports.join('\n')}\n${block(name)}`];
}

const shell = () => ({
  cwd: checkout,
  env: { PATH: process.env['PATH'], HOME: dirname(checkout), NO_COLOR: '1' },
});

/** Runs a block to its end and gives what it printed; fails with what it complained about. */
function sh(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...shell(), timeout: 120_000, maxBuffer: 16 * 1024 * 1024 };
    execFile('bash', script(name), options, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`the block ${name} failed\n${out}\n${err}`, { cause: error }));
    });
  });
}

/** Writes a block that the page says to save. */
const save = (name: string) => writeFileSync(join(checkout, name), block(name));

test('no block of the page is left out', () => {
  expect(blocks.map(({ name }) => name).sort()).toEqual([...ELSEWHERE, ...HERE].sort());
  for (const { name, language, text } of blocks.filter(({ name: is }) => ELSEWHERE.includes(is))) {
    expect({ name, language, text }).toMatchObject({
      language: 'sh',
      text: expect.stringMatching(/^npm (?:run demo(?: -- --keep)?|test)\n$/),
    });
  }
});

test('a second terminal knows the network', async () => {
  expect(await sh('terminal')).toContain('worker-1');
});

test('a worker joins from another folder, says what it does, and leaves', async () => {
  joined = spawn('bash', script('join'), { ...shell(), stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => joined?.once('exit', resolve));
  await eventually(
    'the network counts it',
    async () => {
      for await (const { name } of net.admin.workers.list({ state: 'online' }))
        if (name === 'extra') return true;
      return false;
    },
    60_000,
  );
  // The network knows of a worker a moment before the worker knows that it is welcome.
  let shown = '';
  await eventually(
    'the worker knows it too',
    async () => {
      shown = await sh('joined');
      return /state +online/.test(shown);
    },
    30_000,
  );
  expect(shown).toMatch(/extra +online/);
  expect(await sh('drain')).toContain('has left');
  expect(await ended).toBe(0);
});

test('a job is submitted with curl and watched until it is paid', async () => {
  const job = JSON.parse(await sh('curl')) as { id: string; name: string };
  expect(job).toMatchObject({ name: 'hello', kind: 'batch' });
  const watched = await sh('curl-watch');
  for (const type of ['accepted', 'running', 'reported', 'verdict', 'booked', 'finished'])
    expect(watched).toContain(`event: ${type}\n`);
  expect(watched).toContain(`"id":"${job.id}"`);
  expect(watched).toContain('"state":"succeeded"');
});

test('a job is run with the command', async () => {
  expect(await sh('run')).toMatch(/job_\S+ succeeded/);
});

test('a job file is planned, run, and its model fetched', async () => {
  save('digits.yaml');
  const said = await sh('yaml');
  expect(said).toMatch(/workers +2 of 2 could run it/);
  expect(said).toMatch(/job_\S+ succeeded/);
  expect(readdirSync(join(checkout, 'digits-model')).sort()).toEqual([
    'checkpoint.bin',
    'model.json',
    'weights.bin',
  ]);
});

test('a job is submitted with the SDK', async () => {
  save('submit.mjs');
  const said = await new Promise<string>((resolve, reject) => {
    const env = { ...shell().env, TIDEMILL_URL: net.url, TIDEMILL_API_KEY: key };
    const options = { ...shell(), env, timeout: 90_000 };
    execFile(process.execPath, ['submit.mjs'], options, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`submit.mjs failed\n${out}\n${err}`, { cause: error }));
    });
  });
  expect(said).toContain('accepted\n');
  expect(said).toMatch(/from-the-sdk succeeded: \d+ of \d+ base units held/);
});

test('jobs, accounts and the trail are watched with the command', async () => {
  const said = await sh('watch');
  expect(said).toContain('from-the-sdk');
  expect(said).toMatch(/state +succeeded/);
  expect(said).toMatch(/granted +50/);
  expect(said).toContain('The trail is sound.');
});

test('what is open to everybody answers', async () => {
  const said = await sh('open');
  expect(said).toContain('"name":"worker-1"');
  expect(said).toContain('tidemill_heartbeats_total');
  expect(said).toContain('"openapi":"3.1');
  expect(said).toContain('<title>Tidemill API</title>');
});
