import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';
import { fakeLogin } from '../../testing/fake-login.js';
import { type Handler, refusal } from '../../testing/fake-orchestrator.js';

const cli = cliCase();
const KEY = `tmk_${'k'.repeat(40)}`;

/** Answers with who asked. */
const account: Handler = ({ headers }) =>
  headers.authorization === undefined
    ? refusal('UNAUTHENTICATED', 'nobody')
    : { json: { id: 'acc_1', wallet: 'w', available: '1', held: '0', spent: '0', granted: '1' } };
const tidemill = (command: string, more: { env?: NodeJS.ProcessEnv; stdin?: string } = {}) =>
  cli.tidemill(command, { env: {}, ...more });
const askedAs = () => cli.requests.at(-1)?.headers.authorization;

test('a login is kept under a name, and commands mean the last one or the one that is named', async () => {
  await cli.network({ ...fakeLogin().routes, 'GET /v1/account': account });
  await tidemill(`login --profile staging --url ${cli.url}`);
  await tidemill(`login --profile ci --url ${cli.url}/ --with-api-key`, { stdin: `${KEY}\n` });

  await tidemill('account');
  expect(askedAs()).toBe(`Bearer ${KEY}`);
  await tidemill('account --profile staging');
  expect(askedAs()).toBe('Bearer token-1');
  await tidemill('account', { env: { TIDEMILL_PROFILE: 'staging', TIDEMILL_API_KEY: KEY } });
  expect(askedAs()).toBe('Bearer token-1');

  const { out } = await tidemill('profiles');
  expect(out).toMatch(/\*\s+ci\s+http.*API key tmk_kkkk…/);
  expect(out).not.toContain(KEY);
  expect(await tidemill('profiles use staging')).toMatchObject({ code: 0 });
  await tidemill('account');
  expect(askedAs()).toBe('Bearer token-1');
});

test('a profile that is forgotten leaves nothing of its token', async () => {
  await cli.network({ ...fakeLogin().routes, 'GET /v1/account': account });
  await tidemill(`login --profile staging --url ${cli.url}`);
  expect(await tidemill('profiles remove staging')).toMatchObject({ code: 0 });
  const file = readFileSync(join(cli.home, '.config', 'tidemill', 'profiles.json'), 'utf8');
  expect(JSON.parse(file)).toEqual({ current: null, profiles: {} });
  expect((await tidemill('account --profile staging')).err).toContain('There is no profile');
});

test('the token of a profile never goes to another address', async () => {
  await cli.network({ ...fakeLogin().routes, 'GET /v1/account': account });
  await tidemill(`login --profile staging --url ${cli.url}`);
  const asked = cli.requests.length;
  const elsewhere = cli.url.replace('127.0.0.1', 'localhost');
  const { code, err } = await tidemill(`account --profile staging --url ${elsewhere}`);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('is for') });
  await tidemill(`account --url ${elsewhere}`);
  expect(cli.requests.slice(asked).map(({ headers }) => headers.authorization)).toEqual([
    undefined,
  ]);
});

test('a key that the network does not know is not kept', async () => {
  await cli.network({ 'GET /v1/account': () => refusal('UNAUTHENTICATED', 'unknown') });
  const { code } = await tidemill(`login --url ${cli.url} --with-api-key`, { stdin: KEY });
  expect(code).toBe(4);
  expect((await tidemill('profiles --json')).out).toContain('"items": []');
});

test('a name that a shell would not take in one piece is refused', async () => {
  await cli.network(fakeLogin().routes);
  const { code, err } = await cli.tidemill(['login', '--profile', 'my net', '--url', cli.url], {
    env: {},
  });
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('not a name') });
});
