import { Inject, Injectable } from '@nestjs/common';
import {
  decodeBase58,
  ORDER_WINDOW_MS,
  orderSigningBytes,
  OwnerOrder,
  parseJson,
  PAYOUT_DELAY_MS,
  type SignedOrder,
  type VerifySignature,
  type WorkerId,
  type WorkerOwnerView,
} from '@tidemill/protocol';
import { Config } from '../config/env.js';
import { soundKey } from '../identity/directory.js';
import { Clock } from '../platform/clock.js';
import { Db, type Tx } from '../platform/db/db.js';
import { ProblemError } from '../platform/http/problem.js';
import { Loops } from '../platform/loop.js';
import { VERIFY_SIGNATURE } from '../platform/platform.module.js';
import { Wakeups } from '../platform/wakeups.js';
import { TrailWriter } from '../trail/trail.writer.js';
import { OwnersStore, type Owned } from './owners.store.js';

/** Payout addresses change this late at most after their delay. */
const PAYOUTS_MS = 5_000;
const MAX_ORDER_BYTES = 1_024;

/** Carries out what owners have signed. Nobody logs in for it: the signatures are all the right there is. */
@Injectable()
export class OwnersService {
  constructor(
    private readonly db: Db,
    private readonly store: OwnersStore,
    private readonly trail: TrailWriter,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly wakeups: Wakeups,
    @Inject(VERIFY_SIGNATURE) private readonly verify: VerifySignature,
    loops: Loops,
  ) {
    loops.add({ name: 'fleet.payouts', everyMs: PAYOUTS_MS, turn: () => this.payDue() });
  }

  /** @throws ProblemError ORDER_REFUSED, KEY_UNSOUND, CONFLICT or NOT_FOUND */
  async obey(id: WorkerId, signed: SignedOrder): Promise<WorkerOwnerView> {
    const order = this.read(id, signed.order);
    return this.db.transaction(async (tx) => {
      const owned = await this.store.lock(tx, id);
      if (owned === null) throw new ProblemError('NOT_FOUND', `There is no worker ${id}.`);
      const signer = order.order === 'payout' ? owned.payout : owned.publicKey;
      this.check(signer, signed.order, signed.signature);
      if (order.order === 'look') return viewOf(owned);
      if (order.issuedAtMs <= owned.orderedMs)
        throw refused('A later order was carried out already.');
      if (order.order === 'payout') await this.changePayout(tx, order, owned, signed);
      else await this.changeKey(tx, order, owned, signed);
      const changed = await this.store.lock(tx, id);
      if (changed === null) throw new Error('a locked worker does not go away');
      return viewOf(changed);
    });
  }

  private read(id: WorkerId, text: string): OwnerOrder {
    const json = parseJson(text, MAX_ORDER_BYTES);
    const parsed = json.ok ? OwnerOrder.safeParse(json.value) : null;
    if (parsed?.success !== true) throw refused('The text is not an order.');
    const order = parsed.data;
    const { network, audience } = this.config;
    if (order.network !== network || order.audience !== audience)
      throw refused(`It is meant for ${order.network} at ${order.audience}.`);
    if (order.workerId !== id) throw refused(`It is meant for ${order.workerId}.`);
    if (Math.abs(this.clock.nowMs() - order.issuedAtMs) > ORDER_WINDOW_MS)
      throw refused('It was not issued within the last 10 minutes.');
    return order;
  }

  private check(key: string, order: string, signature: string | undefined): void {
    const publicKey = decodeBase58(key);
    const bytes = decodeBase58(signature ?? '');
    if (
      publicKey === null ||
      bytes === null ||
      !this.verify(publicKey, orderSigningBytes(order), bytes)
    )
      throw refused(`It takes a signature of ${key}.`);
  }

  private async changePayout(
    tx: Tx,
    order: Extract<OwnerOrder, { order: 'payout' }>,
    owned: Owned,
    signed: SignedOrder,
  ): Promise<void> {
    soundKey(order.payout);
    const next = order.payout === owned.payout ? null : order.payout;
    await this.store.changePayout(tx, order.workerId, order.issuedAtMs, next, PAYOUT_DELAY_MS);
    await this.append(tx, 'worker.payout-ordered', order.workerId, signed);
  }

  private async changeKey(
    tx: Tx,
    order: Extract<OwnerOrder, { order: 'key' }>,
    owned: Owned,
    signed: SignedOrder,
  ): Promise<void> {
    soundKey(order.publicKey);
    this.check(order.publicKey, signed.order, signed.newSignature);
    const { workerId, issuedAtMs, publicKey } = order;
    if (!(await this.store.changeKey(tx, workerId, issuedAtMs, owned.publicKey, publicKey)))
      throw new ProblemError('CONFLICT', `${publicKey} is, or was, the key of a worker.`);
    await this.append(tx, 'worker.key-changed', workerId, signed);
    // Whoever is logged in with the old key is not the worker any more: its socket ends, and its work goes elsewhere.
    await this.wakeups.notify(tx, 'tasks');
  }

  /** The order as it was signed: whoever reads the trail can check it. */
  private append(tx: Tx, kind: string, subject: WorkerId, signed: SignedOrder): Promise<void> {
    return this.trail.append(tx, [
      { kind, subject, body: JSON.stringify({ worker: subject, ...signed }) },
    ]);
  }

  private async payDue(): Promise<void> {
    await this.db.transaction(async (tx) => {
      const due = await this.store.payDue(tx);
      await this.trail.append(
        tx,
        due.map(({ id, payout }) => ({
          kind: 'worker.payout-changed',
          subject: id,
          body: JSON.stringify({ worker: id, payout }),
        })),
      );
    });
  }
}

const refused = (detail: string) => new ProblemError('ORDER_REFUSED', detail);

const viewOf = ({ publicKey, payout, next }: Owned): WorkerOwnerView => ({
  publicKey,
  payout,
  payoutChange: next === null ? null : { payout: next.payout, at: next.at.toISOString() },
});
