import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@tidemill/localnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';
import { startTidemill, tidemill } from './harness/tidemill-command.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemill-up-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Starts a network with the command, works with it, and stops it with Ctrl-C; answers the exit code. */
async function withNetwork(
  port: number,
  more: readonly string[],
  work: (network: { url: string; apiKey: string }) => Promise<void>,
): Promise<number | null> {
  const args = ['up', '--workers', '1', '--port', String(port), '--json', ...more];
  const up = startTidemill(args, { home });
  const ended = new Promise<number | null>((resolve) => up.once('exit', resolve));
  let out = '';
  up.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  try {
    await eventually('the network is there', async () => out.trimEnd().endsWith('}'), 90_000);
    await work(JSON.parse(out) as { url: string; apiKey: string });
  } finally {
    up.kill('SIGINT');
  }
  return ended;
}

test.each([
  { where: 'with credit', more: ['--dir', 'net'] },
  { where: 'on a chain', more: ['--dir', 'chained', '--on-chain'] },
])(
  'a network is started with one command $where, used with the key it shows, and finds everything again',
  async ({ more }) => {
    const port = await freePort();
    let first = '';
    const code = await withNetwork(port, more, async ({ url, apiKey }) => {
      first = apiKey;
      const env = { TIDEMILL_URL: url, TIDEMILL_API_KEY: apiKey };
      expect((await tidemill(['run', '--noop', '200ms'], { home, env })).code).toBe(0);
    });
    expect(code).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/readyz`)).rejects.toThrow();

    await withNetwork(port, more, async ({ url, apiKey }) => {
      expect(apiKey).toBe(first);
      const env = { TIDEMILL_URL: url, TIDEMILL_API_KEY: apiKey };
      const listed = await tidemill(['jobs', '--json'], { home, env });
      expect((JSON.parse(listed.out) as { items: unknown[] }).items).toHaveLength(1);
    });
  },
);
