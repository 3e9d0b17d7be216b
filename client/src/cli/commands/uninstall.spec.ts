import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFile } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';

const cli = cliCase();

/** The folder of a worker that does not run, whose outbox holds these lines. */
function aFolder(...outbox: readonly object[]): string {
  const folder = join(cli.home, 'worker');
  mkdirSync(folder);
  createKeyFile(join(folder, 'key.json'));
  writeFileSync(join(folder, 'owners-notes.txt'), 'mine');
  const lines = outbox.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(folder, 'outbox.jsonl'), lines);
  return folder;
}
const put = (attemptId: string) => ({ put: { attemptId } });
const uninstall = (folder: string, ...more: string[]) =>
  cli.tidemill(['worker', 'uninstall', '--state-dir', folder, '--json', ...more]);

test('a worker with receipts that were not paid yet stays, unless its owner insists', async () => {
  const folder = aFolder(put('att_1'), put('att_2'), { gone: ['att_1'] });
  const refused = await uninstall(folder);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('1 receipts wait') });
  expect(existsSync(join(folder, 'key.json'))).toBe(true);

  const forced = await uninstall(folder, '--force');
  expect(JSON.parse(forced.out)).toMatchObject({ receiptsGivenUp: 1 });
  expect(existsSync(join(folder, 'outbox.jsonl'))).toBe(false);
});

test('what the owner keeps in the folder stays, and so does the key', async () => {
  const folder = aFolder(put('att_1'), { gone: ['att_1'] });
  const { code, out } = await uninstall(folder);
  const { keyFile } = JSON.parse(out) as { keyFile: string };
  expect({
    code,
    key: existsSync(keyFile),
    notes: existsSync(join(folder, 'owners-notes.txt')),
  }).toEqual({ code: 0, key: true, notes: true });
});
