import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Tidemill } from '@tidemill/client';
import { freePort } from '@tidemill/localnet';
import { expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';

const MAIN = fileURLToPath(new URL('dist/demo/main.js', import.meta.url));
const DEADLINE_MS = 280_000;

test('the demo does everything it promises, and leaves a network that can be used at once', async () => {
  const port = String(await freePort());
  const demo = spawn(process.execPath, [MAIN, '--keep', '--port', port], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => demo.once('exit', resolve));
  let said = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    // It ends by itself as soon as one promise is not kept.
    const failed = ended.then(() => Promise.reject(new Error(`the demo ended\n${said}`)));
    const told = eventually(
      'its story is told',
      async () => said.includes('Ctrl-C stops all of it.'),
      DEADLINE_MS,
    );
    await Promise.race([told, failed]);
    expect(said).toContain('is killed with SIGKILL at step');
    expect(said).toMatch(/worker-\d goes on after \d+\.\d s/);
    expect(said).toMatch(/of 360 digits are right/);
    expect(said).toContain('the same, bit for bit');
    expect(said).toContain('the whole ledger add up to zero');
    expect(said).toContain('paid, by the ledger and by the chain to the base unit');
    expect(said).toContain('verified without the orchestrator: root of the workers');
    expect(said).toMatch(/a claim of one base unit more: The program refuses it \(BadProof\)/);
    expect(said).toContain('Everything promised happened');

    const key = /tmk_[A-Za-z0-9_-]{43}/.exec(said)?.[0] ?? '';
    const { jobs } = new Tidemill({ url: `http://127.0.0.1:${port}`, key });
    const { id } = await jobs.create({ kind: 'batch', runtime: { noop: {} } });
    expect(await jobs.wait(id, { timeoutMs: 60_000 })).toMatchObject({ state: 'succeeded' });
  } finally {
    demo.kill('SIGINT');
  }
  expect(await ended).toBe(0);
});
