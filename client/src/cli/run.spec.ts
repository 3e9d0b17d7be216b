import { expect, test } from 'vitest';
import { refusal } from '../testing/fake-orchestrator.js';
import { cliCase } from '../testing/cli-case.js';

const cli = cliCase();

test('an unknown command suggests the one that was meant', async () => {
  const { code, err } = await cli.tidemill('jbos');
  expect(code).toBe(2);
  expect(err).toContain("unknown command 'jbos'");
  expect(err).toContain('Did you mean jobs?');
});

test('help lists every command and the exit codes', async () => {
  const { code, out } = await cli.tidemill('--help');
  expect(code).toBe(0);
  const commands =
    'up login keys run apply plan jobs get logs cancel outputs workers worker account decision verify admin';
  for (const name of commands.split(' ')) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  expect(out).toContain('4    the orchestrator cannot be reached, or does not know you');
});

test('when the orchestrator is down the command says what to do and ends with 4', async () => {
  const { code, out, err } = await cli.tidemill('jobs');
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(err).toContain('UNREACHABLE');
  expect(err).toContain('tidemill up');
});

test('a refusal shows its code, its detail, the wrong members and the next step, and ends with 5', async () => {
  const errors = [{ path: 'limits.maxCost', message: 'an amount with at most 6 decimals' }];
  await cli.network({
    'POST /v1/jobs': () => refusal('VALIDATION_FAILED', 'limits.maxCost is wrong', { errors }),
  });
  const { code, err } = await cli.tidemill('run --noop 1s');
  expect(code).toBe(5);
  expect(err.split('\n')).toEqual([
    'VALIDATION_FAILED (422) limits.maxCost is wrong',
    '  limits.maxCost: an amount with at most 6 decimals',
    'next: Correct the members named in errors.',
    '',
  ]);
});

test('who is not known ends with 4', async () => {
  await cli.network({
    'GET /v1/account': () => refusal('UNAUTHENTICATED', 'the key is not known'),
  });
  expect((await cli.tidemill('account')).code).toBe(4);
});

test('with --json an error is one JSON document on standard error', async () => {
  await cli.network({ 'GET /v1/account': () => refusal('FORBIDDEN', 'needs account:read') });
  const { code, out, err } = await cli.tidemill('account --json');
  expect({ code, out }).toEqual({ code: 5, out: '' });
  expect(JSON.parse(err)).toEqual({
    error: {
      code: 'FORBIDDEN',
      status: 403,
      detail: 'needs account:read',
      next: 'Use a key with the scope named in detail.',
      errors: [],
    },
  });
});

test('text from the network cannot steer the terminal', async () => {
  await cli.network({
    'GET /v1/account': () => refusal('FORBIDDEN', 'no\u001b[2J\u001b]0;owned\u0007\r\nFAKE OK'),
  });
  const { err } = await cli.tidemill('account');
  // eslint-disable-next-line no-control-regex -- the point of the test
  expect(err).not.toMatch(/[\u001b\u0007\r]/);
});

test('an address that is none is refused before anything is sent', async () => {
  const { code, err } = await cli.tidemill('jobs --url 127.0.0.1:7070');
  expect(code).toBe(2);
  expect(err).toContain('127.0.0.1:7070 is not an address.');
});

test('a global option is understood before and behind the command', async () => {
  await cli.network({ 'GET /v1/jobs': () => ({ json: { items: [], nextCursor: null } }) });
  const before = await cli.tidemill('--json jobs');
  const behind = await cli.tidemill('jobs --json');
  expect(before).toEqual(behind);
  expect(JSON.parse(before.out)).toEqual({ items: [], nextCursor: null });
});
