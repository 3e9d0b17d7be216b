import { existsSync } from 'node:fs';
import { createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';
import { CliError } from '../failure.js';

/** The wallet in a key file, made when there is none yet. */
export function openWallet(file: string): { readonly wallet: Signer; readonly created: boolean } {
  if (!existsSync(file)) return { wallet: createKeyFile(file), created: true };
  return { wallet: readWallet(file), created: false };
}

/** The wallet in a key file. @throws CliError when it cannot be read as one */
export function readWallet(file: string): Signer {
  try {
    return loadSigner(file);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const next = 'Name a key file as solana-keygen writes it, or leave --key out to have one made.';
    throw new CliError(what, next, undefined, { cause });
  }
}
