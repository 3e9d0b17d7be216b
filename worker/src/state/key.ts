import { existsSync, statSync } from 'node:fs';
import { createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';

/** The key file cannot be used. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** The worker's key; made when the file is absent. @throws KeyFileError when others could read it, or it is not a key file */
export function openKey(file: string): { readonly signer: Signer; readonly isNew: boolean } {
  if (!existsSync(file)) return { signer: createKeyFile(file), isNew: true };
  const { mode } = statSync(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeyFileError(
      `${file} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it`,
    );
  }
  try {
    return { signer: loadSigner(file), isNew: false };
  } catch (cause) {
    throw new KeyFileError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
