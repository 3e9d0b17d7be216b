import { createHash, createHmac } from 'node:crypto';
import { utf8ToBytes } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';

/**
 * The keyed hash that audits are drawn with: 32 bytes for a subject. Its key follows from the operator's, so every replica draws
 * alike and no worker can foresee a draw (G14).
 */
export function auditDraw(signer: Signer): (subject: string) => Uint8Array {
  const key = createHash('sha256')
    .update(signer.sign(utf8ToBytes('tidemill/audit-key/1\n')))
    .digest();
  return (subject) => createHmac('sha256', key).update(subject).digest();
}
