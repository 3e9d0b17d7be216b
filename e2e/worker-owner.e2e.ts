import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { createKeyFile } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digitFiles } from './demo/digits.js';
import { connectProxy } from './harness/connect-proxy.js';
import { eventually } from './harness/eventually.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';
import { startTidemill, tidemill } from './harness/tidemill-command.js';

let net: TestNetwork;
let home: string;
let folder: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  net = await testNetwork({ workers: 0 });
  ({ home } = await net.aSubmitter('5'));
  folder = join(home, 'machine');
});
afterAll(async () => {
  for (const agent of running) if (agent.exitCode === null) agent.kill('SIGTERM');
  await net.stop();
});

const env = (more: Record<string, string> = {}) => ({ TIDEMILL_URL: net.url, ...more });
const run = (...args: string[]) =>
  tidemill(['worker', ...args, '--state-dir', folder], {
    home,
    env: env({ TIDEMILL_PASSPHRASE: 'a passphrase of some length' }),
  });
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await run(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
};
const online = async () => {
  for await (const one of net.admin.workers.list({ state: 'online' }))
    if (one.name === 'mine') return one;
  return undefined;
};

async function startMine(more: Record<string, string> = {}) {
  const flags = ['--name', 'mine', '--cpu-millis', '600', '--memory-mib', '1024', '--slots', '1'];
  const command = ['worker', 'join', '--orchestrator', net.url, '--state-dir', folder, ...flags];
  running.push(startTidemill(command, { home, env: env(more) }));
  const known = await eventually('the worker is online', online, 60_000);
  // The network knows of a worker a moment before the worker reads its welcome.
  await eventually('the worker knows it too', async () => {
    const { out } = await run('status', '--json');
    return out !== '' && (JSON.parse(out) as { state: string }).state === 'online';
  });
  return known;
}

test('a worker reaches its network through a proxy, with its socket and its files', async () => {
  const proxy = await connectProxy();
  try {
    await startMine({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
    const before = proxy.targets.length;
    const { client } = await net.aSubmitter('5');
    const { digest: x } = await client.artifacts.put({ path: digitFiles().testImages });
    const { digest: y } = await client.artifacts.put({ path: digitFiles().testLabels });
    const layers = [
      { class_name: 'Flatten', config: { batch_input_shape: [null, 8, 8, 1] } },
      { class_name: 'Dense', config: { units: 10, activation: 'softmax' } },
    ];
    const { id } = await client.jobs.create({
      kind: 'training',
      runtime: {
        tfjs: {
          model: { topology: { class_name: 'Sequential', config: { layers } } },
          data: {
            train: { arrays: { x, y } },
            features: { array: 'x' },
            label: { array: 'y', classes: 10 },
          },
          loss: 'sparseCategoricalCrossentropy',
          optimizer: { type: 'sgd', learningRate: 0.1 },
          epochs: 1,
          batchSize: 64,
          seed: 1,
        },
      },
      resources: { cpu: 0.5, memory: '900MB' },
      verify: 'none',
    });
    expect(await client.jobs.wait(id, { timeoutMs: 120_000 })).toMatchObject({
      state: 'succeeded',
    });
    expect(before).toBeGreaterThan(0);
    expect(proxy.targets.length).toBeGreaterThan(before);
    expect(new Set(proxy.targets)).toEqual(new Set([new URL(net.url).host]));
    expect((await run('drain')).code).toBe(0);
  } finally {
    await proxy.close();
  }
});

test('a price is set while the worker runs, beside what others ask, and what came in is shown', async () => {
  const { id } = await startMine();
  const shown = await json<{ suggested: { cpuHour: string } | null; isSet: boolean }>('price');
  expect(shown).toMatchObject({ isSet: false, suggested: { cpuHour: expect.any(String) } });
  expect((await run('price', '--cpu-hour', '7.5')).code).toBe(0);
  await eventually('the network knows the price', async () => {
    const { asks } = await net.admin.workers.get(id);
    return asks.cpuHour === '7500000';
  });

  const { client } = await net.aSubmitter('50');
  const job = await client.jobs.create({
    kind: 'batch',
    runtime: { noop: { sleepMs: 500 } },
    limits: { maxPricePerCpuHour: '10' },
    verify: 'none',
  });
  await client.jobs.wait(job.id, { timeoutMs: 60_000 });
  await eventually('it is booked', async () => {
    const { total } = await json<{ total: string }>('earnings', '--by', 'hour');
    return BigInt(total) > 0n;
  });
  const { out } = await run('earnings', '--csv');
  expect(out).toMatch(
    /^from,results,base_units,tokens\n\d{4}-\d\d-\d\dT00:00:00\.000Z,\d+,\d+,0\.\d+\n$/,
  );
});

test('a machine names its operator, and everybody sees which', async () => {
  const operatorFile = join(home, 'operator.json');
  const { operator } = await json<{ operator: string }>('operator', operatorFile);
  expect((await run('drain')).code).toBe(0);
  expect(await startMine()).toMatchObject({ operator });
});

test('a payout address changes only after a day, by an order of the key that is paid now', async () => {
  const wallet = createKeyFile(join(home, 'wallet-2.json'));
  const asked = await json<{ payout: string; payoutChange: { payout: string } }>(
    'payout',
    wallet.address,
  );
  expect(asked.payoutChange.payout).toBe(wallet.address);
  expect(asked.payout).not.toBe(wallet.address);
  const wrong = await run(
    ...['payout', wallet.address, '--payout-key', join(home, 'wallet-2.json')],
  );
  expect(wrong).toMatchObject({ code: 5, err: expect.stringContaining('signature') });
  expect(await json('payout')).toEqual(asked);
  expect(await json('payout', asked.payout)).toMatchObject({ payoutChange: null });
});

test('a key is backed up, lost, restored and replaced, and the worker stays who it is (G21)', async () => {
  const backup = join(home, 'backup.json');
  expect((await run('key', 'backup', backup)).code).toBe(0);
  expect((await run('key', 'rotate')).err).toContain('tidemill worker drain');
  expect((await run('drain')).code).toBe(0);

  const keyFile = join(folder, 'key.json');
  const before = readFileSync(keyFile, 'utf8');
  expect(readFileSync(backup, 'utf8')).not.toContain(before.slice(1, 20));
  rmSync(keyFile);
  const stranger = { home, env: env({ TIDEMILL_PASSPHRASE: 'another passphrase' }) };
  const restore = ['worker', 'key', 'restore', backup, '--state-dir', folder];
  expect(await tidemill(restore, stranger)).toMatchObject({
    code: 2,
    err: expect.stringContaining('does not open'),
  });
  expect((await run('key', 'restore', backup)).code).toBe(0);
  expect(readFileSync(keyFile, 'utf8')).toBe(before);

  const rotated = await run('key', 'rotate', '--json');
  expect(rotated.code).toBe(0);
  const { workerId, address, old } = JSON.parse(rotated.out) as Record<string, string>;
  expect(address).not.toBe(old);
  const worker = await startMine();
  expect(worker).toMatchObject({ id: workerId, publicKey: address, operator: null });
  expect(worker.results.accepted).toBeGreaterThan(0);
});

test('a worker is removed from a machine, and its key is kept', async () => {
  expect((await run('uninstall')).err).toContain('tidemill worker drain');
  expect((await run('drain')).code).toBe(0);
  const { keyFile } = await json<{ keyFile: string }>('uninstall');
  expect(JSON.parse(readFileSync(keyFile, 'utf8'))).toHaveLength(64);
  for (const gone of ['key.json', 'cache', 'outbox.jsonl', 'status.json'])
    expect(existsSync(join(folder, gone))).toBe(false);
});
