import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { z } from 'zod';
import { CliError } from '../failure.js';

/** 128 MiB and about half a second a guess: a passphrase that people can remember is what has to hold. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
const CIPHER = 'aes-256-gcm';
export const MIN_PASSPHRASE = 12;

const Base64 = z.base64();
const Backup = z.strictObject({
  format: z.literal('tidemill/key-backup/1'),
  address: z.string(),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z.literal(COST.N),
    r: z.literal(COST.r),
    p: z.literal(COST.p),
    salt: Base64,
  }),
  cipher: z.strictObject({ name: z.literal(CIPHER), iv: Base64, tag: Base64 }),
  data: Base64,
});

/** The text of a key file under a passphrase. Whoever changes a byte of it, the address included, makes it unreadable. */
export async function sealKey(
  keyText: string,
  address: string,
  passphrase: string,
): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER, await stretched(passphrase, salt), iv);
  cipher.setAAD(Buffer.from(address));
  const data = Buffer.concat([cipher.update(keyText, 'utf8'), cipher.final()]);
  const backup: z.infer<typeof Backup> = {
    format: 'tidemill/key-backup/1',
    address,
    kdf: { name: 'scrypt', ...COST, salt: salt.toString('base64') },
    cipher: {
      name: CIPHER,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
    },
    data: data.toString('base64'),
  };
  return `${JSON.stringify(backup, null, 2)}\n`;
}

/** The text of the key file and its address. @throws CliError when the text is no backup, or the passphrase is another */
export async function openSealedKey(
  text: string,
  passphrase: string,
): Promise<{ readonly keyText: string; readonly address: string }> {
  const backup = parse(text);
  const key = await stretched(passphrase, Buffer.from(backup.kdf.salt, 'base64'));
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(backup.cipher.iv, 'base64'), {
    authTagLength: 16,
  });
  decipher.setAAD(Buffer.from(backup.address));
  try {
    decipher.setAuthTag(Buffer.from(backup.cipher.tag, 'base64'));
    const bytes = [decipher.update(Buffer.from(backup.data, 'base64')), decipher.final()];
    return { keyText: Buffer.concat(bytes).toString('utf8'), address: backup.address };
  } catch (cause) {
    throw new CliError(
      'The passphrase does not open this backup.',
      'Check it; if it is right, the file is damaged.',
      undefined,
      { cause },
    );
  }
}

function parse(text: string): z.infer<typeof Backup> {
  try {
    return Backup.parse(JSON.parse(text));
  } catch (cause) {
    const next = 'Give a file that "tidemill worker key backup" wrote.';
    throw new CliError('This is not a backup of a key.', next, undefined, { cause });
  }
}

function stretched(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Typed on another machine, the same passphrase may be made of other code points.
    const text = passphrase.normalize('NFC');
    scrypt(text, salt, 32, { ...COST, maxmem: MAX_MEMORY_BYTES }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
