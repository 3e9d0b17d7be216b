import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';
import { fakeLogin } from '../../testing/fake-login.js';
import { refusal } from '../../testing/fake-orchestrator.js';

const cli = cliCase();
const account = {
  id: 'acc_1',
  wallet: 'w',
  available: '1500000',
  held: '0',
  spent: '0',
  granted: '1500000',
};

test('a login makes a wallet, remembers the token for its owner only, and later commands use it', async () => {
  await cli.network({ ...fakeLogin().routes, 'GET /v1/account': () => ({ json: account }) });
  const first = await cli.tidemill(['login', '--url', cli.url], { env: {} });
  expect(first).toMatchObject({ code: 0, err: expect.stringContaining('Made a wallet') });

  const folder = join(cli.home, '.config', 'tidemill');
  const modes = ['wallet.json', 'profiles.json'].map(
    (name) => statSync(join(folder, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600]);

  const { code, out } = await cli.tidemill('account', { env: {} });
  expect({ code, available: out.includes('1.5') }).toEqual({ code: 0, available: true });
  expect(cli.requests.at(-1)?.headers.authorization).toBe('Bearer token-1');
});

test('a second login keeps the wallet', async () => {
  await cli.network(fakeLogin().routes);
  const env = { TIDEMILL_URL: cli.url };
  const first = JSON.parse((await cli.tidemill('login --json', { env })).out) as { wallet: string };
  const second = JSON.parse((await cli.tidemill('login --json', { env })).out) as {
    wallet: string;
  };
  expect(second.wallet).toBe(first.wallet);
});

test('a token that ran out is replaced with the same wallet, without a word', async () => {
  await cli.network({
    ...fakeLogin({ expiresAt: '2020-01-01T00:00:00.000Z' }).routes,
    'GET /v1/account': ({ headers }) =>
      headers.authorization === 'Bearer token-2'
        ? { json: account }
        : refusal('UNAUTHENTICATED', 'ran out'),
  });
  const env = { TIDEMILL_URL: cli.url };
  await cli.tidemill('login', { env });
  expect(await cli.tidemill('account', { env })).toMatchObject({ code: 0, err: '' });
  const profile = readFileSync(join(cli.home, '.config', 'tidemill', 'profiles.json'), 'utf8');
  expect(profile).toContain('token-2');
});

test('a login for another network than the one asked is refused', async () => {
  await cli.network(fakeLogin({ change: { audience: 'elsewhere.example' } }).routes);
  const env = { TIDEMILL_URL: cli.url };
  const refused = await cli.tidemill('login', { env });
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('elsewhere.example') });
  const accepted = await cli.tidemill('login --audience elsewhere.example', { env });
  expect(accepted.code).toBe(0);
});

test('a key file that is none is named', async () => {
  await cli.network(fakeLogin().routes);
  writeFileSync(join(cli.home, 'broken.json'), '[1, 2, 3]');
  const { code, err } = await cli.tidemill('login --key broken.json');
  expect(code).toBe(2);
  expect(err).toContain('broken.json: a key file is a JSON array of 64 bytes');
});

test('a damaged profile is named rather than lost', async () => {
  mkdirSync(join(cli.home, 'conf'));
  writeFileSync(join(cli.home, 'conf', 'profiles.json'), '{"current": 7}');
  const { code, err } = await cli.tidemill('account', {
    env: { TIDEMILL_CONFIG_DIR: join(cli.home, 'conf') },
  });
  expect(code).toBe(2);
  expect(err).toContain('does not hold profiles');
});
