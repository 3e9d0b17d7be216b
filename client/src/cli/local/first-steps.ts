import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '@tidemill/localnet';
import { parseAmount } from '@tidemill/protocol';
import { createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';
import { Tidemill } from '../../sdk/tidemill.js';
import { TidemillError } from '../../sdk/tidemill-error.js';

/** What one needs to use a local network at once. */
export interface FirstSteps {
  readonly wallet: string;
  readonly walletFile: string;
  readonly apiKey: string;
}

const TOKENS = '100';
/** A deposit is final after some slots, and the ledger looks every second. */
const SEEN_WITHIN_MS = 30_000;
const POLL_MS = 250;

/** A submitter with money and an API key, made once for each folder and found there again. */
export async function firstSteps(network: Network): Promise<FirstSteps> {
  const { url, dir, adminKeyFile, settlement } = network;
  const walletFile = join(dir, 'keys', 'submitter.json');
  const signer = existsSync(walletFile) ? loadSigner(walletFile) : createKeyFile(walletFile);
  if (settlement !== null) await deposit(url, settlement, signer);
  else {
    const { admin } = new Tidemill({ url, signer: loadSigner(adminKeyFile) });
    await admin.credit(signer.address, TOKENS, 'tidemill-up');
  }
  return {
    wallet: signer.address,
    walletFile,
    apiKey: await apiKey(url, join(dir, 'keys', 'api-key'), signer),
  };
}

/** Deposits on the embedded chain, unless that was done before, and waits until it can be spent. */
async function deposit(
  url: string,
  settlement: NonNullable<Network['settlement']>,
  signer: Signer,
): Promise<void> {
  // Loaded here alone, so that no other command waits for the chain's code.
  const { SettlementOnChain } = await import('../../chain/index.js');
  const chain = await SettlementOnChain.open(settlement);
  if ((await chain.submitter(signer.address)) !== null) return;
  const amount = parseAmount(TOKENS) ?? 0n;
  await settlement.fund(signer.address, amount);
  await chain.deposit(signer, signer.address, amount);
  const { account } = new Tidemill({ url, signer });
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while ((await account.get()).deposited === '0') {
    if (performance.now() > deadline)
      throw new Error(`the ledger did not see the deposit within ${SEEN_WITHIN_MS / 1_000} s`);
    await sleep(POLL_MS);
  }
}

async function apiKey(url: string, file: string, signer: Signer): Promise<string> {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  if (kept !== null && (await isKnown(url, kept))) return kept;
  const { key } = await new Tidemill({ url, signer }).keys.create({
    name: 'tidemill-up',
    scopes: ['jobs:read', 'jobs:write', 'artifacts:read', 'artifacts:write', 'account:read'],
  });
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}

/** A key of an earlier database may lie in the folder. */
async function isKnown(url: string, key: string): Promise<boolean> {
  try {
    await new Tidemill({ url, key }).account.get();
    return true;
  } catch (error) {
    if (error instanceof TidemillError && error.code === 'UNAUTHENTICATED') return false;
    throw error;
  }
}
