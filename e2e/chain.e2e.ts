import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainHandle, freePort, startChainProcess } from '@tidemill/localnet';

import { afterEach, expect, test } from 'vitest';
import { freshSigner } from './harness/signer.js';

const dir = mkdtempSync(join(tmpdir(), 'tidemill-e2e-chain-'));
let chain: ChainHandle | undefined;
afterEach(async () => {
  await chain?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('the chain survives being killed, less what it had not written yet', async () => {
  const port = await freePort();
  chain = await startChainProcess({ dir, port, slotMs: 20 });
  const ask = async (method: string, ...params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body });
    return ((await answer.json()) as { result: unknown }).result;
  };
  const { address } = freshSigner();
  const signature = await ask('requestAirdrop', address, 1_000_000_000);
  const answeredMs = Date.now();
  const file = join(dir, 'chain', 'chain.bin');
  const savedMs = () => (existsSync(file) ? statSync(file).mtimeMs : 0);
  await expect.poll(savedMs, { timeout: 20_000 }).toBeGreaterThan(answeredMs);
  chain.kill('SIGKILL');
  await chain.stop();

  chain = await startChainProcess({ dir, port });
  expect(await ask('getBalance', address)).toMatchObject({ value: 1_000_000_000 });
  expect(await ask('getSignatureStatuses', [signature])).toMatchObject({
    value: [{ confirmationStatus: 'finalized', err: null }],
  });
});
