import { canonicalJson, encodeBase58, orderSigningBytes } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { WorkerOwner } from '../../sdk/types.js';
import type { Session } from '../session.js';

type Wish =
  | { readonly order: 'look' }
  | { readonly order: 'payout'; readonly payout: string }
  | { readonly order: 'key'; readonly publicKey: string };

/** Signs an order of a worker's owner and has it carried out. */
export async function sendOrder(
  session: Session,
  workerId: string,
  wish: Wish,
  signer: Signer,
  newSigner?: Signer,
): Promise<WorkerOwner> {
  const { workers } = session.tidemill();
  const network = await workers.network(signer.address);
  // The host that was asked, never one that an answer names: the order counts there and nowhere else.
  const audience = new URL(session.url).host;
  const order = canonicalJson({
    ...wish,
    network,
    audience,
    workerId,
    issuedAtMs: session.io.nowMs(),
  });
  const sign = (by: Signer) => encodeBase58(by.sign(orderSigningBytes(order)));
  const newSignature = newSigner === undefined ? {} : { newSignature: sign(newSigner) };
  return workers.order(workerId, { order, signature: sign(signer), ...newSignature });
}
