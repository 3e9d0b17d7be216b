import {
  decodeBase58,
  isSoundPublicKey,
  operatorSigningBytes,
  type OperatorCertificate,
  type VerifySignature,
} from '@tidemill/protocol';

/** Whether an operator really said that the worker with this key is its own: nobody may be counted as somebody else's. */
export function isVouchedFor(
  { publicKey, signature }: OperatorCertificate,
  workerKey: string,
  verify: VerifySignature,
): boolean {
  const operator = decodeBase58(publicKey);
  const bytes = decodeBase58(signature);
  return (
    operator !== null &&
    bytes !== null &&
    isSoundPublicKey(operator) &&
    verify(operator, operatorSigningBytes(workerKey), bytes)
  );
}
