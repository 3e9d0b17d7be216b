import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('dist/demo/main.js', import.meta.url));

test('the demo does everything it promises, and says so', async () => {
  // It ends with 1, and so rejects here, as soon as one promise is not kept.
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN], { timeout: 280_000 });
  expect(stdout).toContain('is killed with SIGKILL at step');
  expect(stdout).toMatch(/worker-\d goes on after \d+\.\d s/);
  expect(stdout).toMatch(/of 360 digits are right/);
  expect(stdout).toContain('the same, bit for bit');
  expect(stdout).toContain('the whole ledger add up to zero');
  expect(stdout).toContain('Everything promised happened');
});
