import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';

const cli = cliCase();

/** What bash offers after these words, by the script the command prints. */
async function offered(...words: string[]): Promise<string[]> {
  const { out } = await cli.tidemill('completion bash');
  const script = `${out}
COMP_WORDS=(tidemill ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_tidemill
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['--norc', '-c', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return said.split('\n').filter((word) => word !== '');
}

test('bash completes commands, their commands and their options', async () => {
  expect(await offered('wor')).toEqual(['workers', 'worker']);
  expect(await offered('worker', 'pr')).toEqual(['price']);
  expect(await offered('worker', 'key', 'b')).toEqual(['backup']);
  expect(await offered('run', '--no')).toContain('--noop');
  expect(await offered('nothing', 'here', '')).toEqual([]);
});

test('zsh and fish get scripts of their own', async () => {
  expect((await cli.tidemill('completion zsh')).out).toContain('bashcompinit');
  const fish = (await cli.tidemill('completion fish')).out;
  expect(fish).toContain("-n '__fish_use_subcommand'");
  expect(fish).toMatch(/seen_subcommand_from worker; and .*seen_subcommand_from key' -a 'backup/);
  expect((await cli.tidemill('completion tcsh')).code).toBe(2);
});

test('a folder that is not there, and a digest without a file, say what to do', async () => {
  await cli.network({});
  expect(await cli.tidemill('cp nowhere')).toMatchObject({
    code: 2,
    err: expect.stringContaining('paths start from this folder'),
  });
  expect(await cli.tidemill(`cp sha256:${'0'.repeat(64)}`)).toMatchObject({
    code: 2,
    err: expect.stringContaining('--to FILE'),
  });
  mkdirSync(join(cli.home, 'data'));
  writeFileSync(join(cli.home, 'data', 'a.txt'), 'tide');
  expect((await cli.tidemill('cp data --to there')).code).toBe(2);
  expect(readFileSync(join(cli.home, 'data', 'a.txt'), 'utf8')).toBe('tide');
});
