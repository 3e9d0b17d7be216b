import { statSync } from 'node:fs';
import { loadSigner, type Signer } from '@tidemill/protocol/node';

/** What group and others may do with a file. */
const OTHERS = 0o077;

/** The signer of a key file that only its owner can read. @throws Error that says what to do about it */
export function privateSigner(file: string): Signer {
  const { mode } = statSync(file);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
    throw new Error(`${file}: others can read this key: run "chmod 600 ${file}"`);
  return loadSigner(file);
}
