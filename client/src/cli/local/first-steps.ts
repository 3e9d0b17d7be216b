import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';
import { Tidemill } from '../../sdk/tidemill.js';
import { TidemillError } from '../../sdk/tidemill-error.js';

/** What one needs to use a local network at once. */
export interface FirstSteps {
  readonly wallet: string;
  readonly walletFile: string;
  readonly apiKey: string;
}

const CREDIT = '100';

/** A submitter with credit and an API key, made once for each folder and found there again. */
export async function firstSteps(network: {
  readonly url: string;
  readonly dir: string;
  readonly adminKeyFile: string;
}): Promise<FirstSteps> {
  const { url, dir, adminKeyFile } = network;
  const walletFile = join(dir, 'keys', 'submitter.json');
  const signer = existsSync(walletFile) ? loadSigner(walletFile) : createKeyFile(walletFile);
  const admin = new Tidemill({ url, signer: loadSigner(adminKeyFile) });
  await admin.admin.credit(signer.address, CREDIT, 'tidemill-up');
  return {
    wallet: signer.address,
    walletFile,
    apiKey: await apiKey(url, join(dir, 'keys', 'api-key'), signer),
  };
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
