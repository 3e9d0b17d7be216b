import {
  decodeBase58,
  orderSigningBytes,
  OwnerOrder,
  parseJson,
  SignedOrder,
  type VerifySignature,
} from '@tidemill/protocol';

/** Longest text of an order that is read; orders are shorter. */
const MAX_ORDER = 4_096;

/** Who has to have signed an order, in base58, and for which worker and network. */
interface Expected {
  readonly worker: string;
  readonly network: string;
  readonly publicKey: string;
}

/** The order in an event of the trail; null unless its signatures are those it needs. */
export function signedOrder(
  said: unknown,
  { worker, network, publicKey }: Expected,
  verify: VerifySignature,
): OwnerOrder | null {
  const signed = SignedOrder.safeParse(said);
  if (!signed.success) return null;
  const json = parseJson(signed.data.order, MAX_ORDER);
  const order = json.ok ? OwnerOrder.safeParse(json.value).data : undefined;
  if (order?.workerId !== worker || order.network !== network) return null;
  const bytes = orderSigningBytes(signed.data.order);
  const isSigned = (by: string, signature: string | undefined): boolean => {
    const [signer, proof] = [decodeBase58(by), decodeBase58(signature ?? '')];
    return signer !== null && proof !== null && verify(signer, bytes, proof);
  };
  if (!isSigned(publicKey, signed.data.signature)) return null;
  const isWhole = order.order !== 'key' || isSigned(order.publicKey, signed.data.newSignature);
  return isWhole ? order : null;
}
