import { decodeBase58 } from '../base58.js';
import { parseJson } from '../json-scan.js';
import { orderSigningBytes, OwnerOrder, SignedOrder } from '../owner-order.js';
import { fault, firstFault, type Case, type ProvenanceFault } from './case.js';

/** Longest text of an order that is read; orders are shorter. */
const MAX_ORDER = 4_096;

/** Every worker has the key it joined with, or the one that orders signed by each key before it have put in its place. */
export function checkWorkers(of: Case): ProvenanceFault | null {
  const shown = new Map(of.bundle.workers.map(({ id, publicKey }) => [id, publicKey]));
  return firstFault(new Set(of.bundle.attempts.map(({ workerId }) => workerId)), (id) => {
    const wrong = (why: string): ProvenanceFault => fault('WORKER_KEY', `${id} ${why}`);
    const [joined] = of.said('worker.joined', id);
    const first = joined?.['worker'] === id ? joined['publicKey'] : undefined;
    if (typeof first !== 'string') return wrong('did not join with a key');
    let key = first;
    const keys = new Set([key]);
    for (const { worker: _, ...said } of of.said('worker.key-changed', id)) {
      const next = nextKey(of, id, key, said);
      if (next === null) return wrong(`did not replace ${key} by an order of its own`);
      keys.add(next);
      key = next;
    }
    of.keys.set(id, keys);
    return shown.get(id) === key ? null : wrong(`has ${key}, shown is ${shown.get(id) ?? 'none'}`);
  });
}

/** The key that an order puts in place of another; null unless both have signed it. */
function nextKey(of: Case, id: string, key: string, said: unknown): string | null {
  const signed = SignedOrder.safeParse(said);
  if (!signed.success) return null;
  const json = parseJson(signed.data.order, MAX_ORDER);
  const order = json.ok ? OwnerOrder.safeParse(json.value) : undefined;
  if (order?.success !== true || order.data.order !== 'key') return null;
  const { workerId, network, publicKey } = order.data;
  const bytes = orderSigningBytes(signed.data.order);
  const isSigned = (by: string, signature: string | undefined): boolean => {
    const [signer, proof] = [decodeBase58(by), decodeBase58(signature ?? '')];
    return signer !== null && proof !== null && of.crypto.verify(signer, bytes, proof);
  };
  const isMeant = workerId === id && network === of.bundle.network;
  return isMeant &&
    isSigned(key, signed.data.signature) &&
    isSigned(publicKey, signed.data.newSignature)
    ? publicKey
    : null;
}
