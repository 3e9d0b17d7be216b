import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

it('is there until it is removed, with all that lies in it', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder.path, 'file'), 'text');
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

it('is private unless others have to reach into it', async () => {
  const [own, open] = [temporaryFolder(), temporaryFolder({ open: true })];
  expect(statSync(own.path).mode & 0o077).toBe(0);
  expect(statSync(open.path).mode & 0o077).toBe(0o011);
  await Promise.all([own.remove(), open.remove()]);
});
