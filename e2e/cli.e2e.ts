import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFile } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSmallTraining } from './harness/small-training.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';
import { jobIdIn, startTidemill, tidemill } from './harness/tidemill-command.js';
import { eventually } from './harness/eventually.js';

let net: TestNetwork;
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  net = await testNetwork({ workers: 2 });
  const submitter = await net.aSubmitter('50');
  ({ home } = submitter);
  env = { TIDEMILL_URL: net.url };
  const login = await run('login', '--key', submitter.keyFile);
  expect(login.code).toBe(0);
});
afterAll(() => net.stop());

const run = (...args: string[]) => tidemill(args, { home, env });
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await run(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
};

test('a job is run, shown, paid and explained', async () => {
  const done = await run('run', '--noop', '3s', '--name', 'first');
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') });
  const id = jobIdIn(done.out);

  const listed = await json<{ items: { id: string; name: string }[] }>('jobs');
  expect(listed.items.find((job) => job.id === id)?.name).toBe('first');
  const shown = await json<{ taskList: { attempts: { decisionId: string; state: string }[] }[] }>(
    'get',
    id,
  );
  const attempt = shown.taskList[0]?.attempts[0];
  expect(attempt?.state).toBe('accepted');
  const decision = await json<{ record: { attempt: string } }>(
    'decision',
    attempt?.decisionId ?? '',
  );
  expect(decision.record).toHaveProperty('worker');
  const account = await json<{ held: string; spent: string }>('account');
  expect(account.held).toBe('0');
  expect(BigInt(account.spent)).toBeGreaterThan(0n);
});

test('a job that fails ends the command with 1 and says why', async () => {
  const failed = await run('run', '--noop', '100ms', '--fail', 'the sea was calm');
  expect(failed.code).toBe(1);
  expect(failed.out).toContain('FAILED_AS_TOLD');
});

test('a job that is cancelled elsewhere ends the command with 3', async () => {
  const following = startTidemill(['run', '--noop', '10m', '--json'], { home, env });
  const ended = new Promise<number | null>((resolve) => following.once('exit', resolve));
  let out = '';
  following.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await eventually('the job runs', async () => out.includes('"running"'));
  const { items } = await json<{ items: { id: string }[] }>('jobs', '--state', 'running');
  expect((await run('cancel', items[0]?.id ?? '')).code).toBe(0);
  expect(await ended).toBe(3);
});

test('a job file with local files is planned, applied, followed, and its model fetched', async () => {
  writeSmallTraining(home, 'small.yaml', { job: 'name: small' });
  const planned = await run('plan', 'small.yaml');
  expect(planned).toMatchObject({ code: 0, out: expect.stringContaining('2 of 2 could run it') });
  const applied = await run('apply', '-f', 'small.yaml', '--wait');
  expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') });

  const fetched = await run('outputs', jobIdIn(applied.out), '--download', 'made');
  expect(fetched.code).toBe(0);
  expect(readdirSync(join(home, 'made')).sort()).toEqual([
    'checkpoint.bin',
    'model.json',
    'weights.bin',
  ]);
  expect(JSON.parse(readFileSync(join(home, 'made', 'model.json'), 'utf8'))).toHaveProperty(
    'weightsManifest',
  );
});

test('a job that cannot be paid is refused with what is missing', async () => {
  const poor = await net.aSubmitter('0.000001');
  const login = await tidemill(['login', '--key', poor.keyFile], { home: poor.home, env });
  expect(login.code).toBe(0);
  const refused = await tidemill(['run', '--noop', '1s'], { home: poor.home, env });
  expect(refused).toMatchObject({ code: 5, err: expect.stringContaining('INSUFFICIENT_FUNDS') });
  expect(refused.err).toContain('next:');
});

test('a key works until it is revoked, and cannot do what it was not given', async () => {
  const made = await json<{ id: string; key: string }>(
    'keys',
    'create',
    'ci',
    '--scopes',
    'jobs:read',
  );
  const withKey = { home, env: { ...env, TIDEMILL_API_KEY: made.key } };
  expect((await tidemill(['jobs'], withKey)).code).toBe(0);
  expect((await tidemill(['run', '--noop', '1s'], withKey)).err).toContain('FORBIDDEN');
  expect((await run('keys', 'revoke', made.id)).code).toBe(0);
  expect((await tidemill(['jobs'], withKey)).code).toBe(4);
});

test('only the operator gives credit', async () => {
  const wallet = createKeyFile(join(home, 'friend.json')).address;
  expect((await run('admin', 'credit', wallet, '1')).code).toBe(5);
  const given = await run('admin', 'credit', wallet, '1.5', '--key', net.network.adminKeyFile);
  expect(given).toMatchObject({ code: 0, out: `${wallet} has 1.5 available.\n` });
});

test('a job is followed across a restart of the orchestrator', async () => {
  const following = startTidemill(['run', '--noop', '8s'], { home, env });
  const ended = new Promise<number | null>((resolve) => following.once('exit', resolve));
  let err = '';
  following.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await eventually('the job runs', async () => err.includes('running on'));
  await net.network.restartOrchestrator();
  expect(await ended).toBe(0);
});

test('the trail is verified, and a copy that somebody altered is found out', async () => {
  const sound = await run('verify', 'trail', '--export', 'trail.jsonl');
  expect(sound).toMatchObject({ code: 0, out: expect.stringContaining('The trail is sound') });
  const lines = readFileSync(join(home, 'trail.jsonl'), 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('job.accepted'));
  lines[at] = (lines[at] ?? '').replace('\\"hold\\":\\"', '\\"hold\\":\\"9');
  writeFileSync(join(home, 'altered.jsonl'), lines.join('\n'));
  const altered = await run('verify', 'trail', '--file', 'altered.jsonl');
  expect(altered.code).toBe(1);
  const place = (JSON.parse(lines[at] ?? '') as { event: { place: number } }).event.place;
  expect(altered.out).toContain(`The trail is bad at place ${place}.`);
});

test('a machine joins, says what it does, and drains', async () => {
  const folder = join(home, 'agent');
  const flags = [
    '--name',
    'joined',
    '--state-dir',
    folder,
    '--cpu-millis',
    '500',
    '--memory-mib',
    '512',
    '--slots',
    '1',
  ];
  const agent = startTidemill(['worker', 'join', ...flags], { home, env });
  const ended = new Promise<number | null>((resolve) => agent.once('exit', resolve));
  const workers = () => json<{ items: { name: string; state: string }[] }>('workers');
  await eventually('the network counts it', async () =>
    (await workers()).items.some(({ name, state }) => name === 'joined' && state === 'online'),
  );
  await eventually('it says so itself', async () =>
    (await run('worker', 'status', '--state-dir', folder)).out.includes('online'),
  );

  const drained = await run('worker', 'drain', '--state-dir', folder);
  expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('has left') });
  expect(await ended).toBe(0);
  expect((await run('worker', 'status', '--state-dir', folder)).code).toBe(1);
});

test('a folder goes up and comes back, and several jobs are waited for together', async () => {
  const data = join(home, 'data');
  mkdirSync(join(data, 'deep'), { recursive: true });
  writeFileSync(join(data, 'a.txt'), 'tide');
  writeFileSync(join(data, 'deep', 'b.txt'), 'mill');
  const { items } = await json<{ items: { file: string; digest: string }[] }>('cp', data);
  expect(items.map(({ file }) => file)).toEqual(['data/a.txt', 'data/deep/b.txt']);
  expect((await run('cp', items[1]?.digest ?? '', '--to', 'back.txt')).code).toBe(0);
  expect(readFileSync(join(home, 'back.txt'), 'utf8')).toBe('mill');

  const spec = (noop: string) => `kind: batch\nverify: none\nruntime: { noop: ${noop} }\n`;
  writeFileSync(join(home, 'good.yaml'), spec('{ sleepMs: 300 }'));
  writeFileSync(join(home, 'bad.yaml'), spec('{ fail: no }'));
  const ids = [];
  for (const file of ['good.yaml', 'bad.yaml'])
    ids.push(jobIdIn((await run('apply', '-f', file)).out));
  const waited = await run('wait', ...ids);
  expect(waited).toMatchObject({ code: 1, out: expect.stringContaining(`${ids[0]} succeeded`) });
  expect((await run('wait', ids[0] ?? '')).code).toBe(0);
});

test('an agent that is started wrongly ends the command with 2', async () => {
  const wrong = await run(
    'worker',
    'join',
    '--cpu-millis',
    'many',
    '--state-dir',
    join(home, 'wrong'),
  );
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--cpu-millis') });
});
