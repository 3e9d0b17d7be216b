import { accountFilter, type AccountFilter, accountView } from './account-view.js';
import type { Chain } from './chain.js';
import type { Executed } from './executed.js';
import { inContext } from './rpc-methods.js';
import type { Commitment } from './slots.js';

const KINDS = ['signature', 'logs', 'account', 'program', 'slot', 'root'] as const;
type Kind = (typeof KINDS)[number];

interface Config {
  readonly encoding?: string;
  readonly commitment?: Commitment;
  readonly filters?: readonly AccountFilter[];
}
type Filter = string | { readonly mentions: readonly string[] };

interface Subscription {
  readonly id: number;
  readonly kind: Kind;
  readonly filter: Filter | undefined;
  readonly config: Config;
  readonly matches: ReturnType<typeof accountFilter>;
}

/** How far behind the newest slot a cluster's root is. */
const ROOT_LAG = 32n;
let lastId = 0;

/** What one socket wants to hear of. */
export class Subscriptions {
  private readonly all = new Map<number, Subscription>();
  private readonly onExecuted = (one: Executed) => this.executed(one);
  private readonly onSlot = (slot: bigint) => this.slot(slot);

  constructor(
    private readonly chain: Chain,
    private readonly send: (message: object) => void,
  ) {
    chain.on('executed', this.onExecuted).on('slot', this.onSlot);
  }

  close(): void {
    this.chain.off('executed', this.onExecuted).off('slot', this.onSlot);
    this.all.clear();
  }

  /** Answers `…Subscribe` and `…Unsubscribe`; undefined for every other method. */
  answer(method: string, [filter, config]: readonly unknown[]): number | boolean | undefined {
    const match = /^([a-z]+)(Subscribe|Unsubscribe)$/.exec(method);
    const kind = KINDS.find((one) => one === match?.[1]);
    if (kind === undefined) return undefined;
    if (match?.[2] === 'Unsubscribe') return this.all.delete(filter as number);
    lastId += 1;
    const wanted = (config ?? {}) as Config;
    const one: Subscription = {
      id: lastId,
      kind,
      filter: filter as Filter | undefined,
      config: wanted,
      matches: accountFilter(wanted.filters),
    };
    this.all.set(one.id, one);
    // After the answer that names it, for a signature that is known already.
    if (kind === 'signature') setImmediate(() => this.settle(one));
    return one.id;
  }

  private executed(executed: Executed): void {
    for (const one of this.all.values()) {
      switch (one.kind) {
        case 'signature':
          setImmediate(() => this.settle(one));
          break;
        case 'logs':
          this.logs(one, executed);
          break;
        case 'account':
          if (executed.err === null && executed.wire?.keys.some((key) => key === one.filter))
            this.notify(one, this.inContext(this.view(one, addressOf(one))));
          break;
        case 'program':
          this.program(one, executed);
          break;
        default:
      }
    }
  }

  private slot(slot: bigint): void {
    const root = slot > ROOT_LAG ? slot - ROOT_LAG : 0n;
    for (const one of this.all.values()) {
      if (one.kind === 'signature') this.settle(one);
      else if (one.kind === 'slot') this.notify(one, { parent: slot - 1n, root, slot });
      else if (one.kind === 'root') this.notify(one, root);
    }
  }

  /** A signature is told of once, when it is as sure as was asked for. */
  private settle(one: Subscription): void {
    const executed = this.chain.transaction(addressOf(one));
    if (executed === undefined || !this.all.has(one.id)) return;
    if (!this.chain.slots.hasReached(executed.slot, one.config.commitment)) return;
    this.all.delete(one.id);
    this.notify(one, this.inContext({ err: executed.err }));
  }

  private logs(one: Subscription, { signature, err, logs, wire }: Executed): void {
    const { filter } = one;
    const mentioned = typeof filter === 'object' ? filter.mentions[0] : undefined;
    if (typeof filter === 'object' && !wire?.keys.some((key) => key === mentioned)) return;
    this.notify(one, this.inContext({ signature, err, logs }));
  }

  private program(one: Subscription, { err, wire }: Executed): void {
    if (err !== null || wire === null) return;
    for (const [index, key] of wire.keys.entries()) {
      if (!wire.isWritable(index)) continue;
      const account = this.chain.account(key);
      if (!account.exists || account.programAddress !== one.filter || !one.matches(account))
        continue;
      this.notify(one, this.inContext({ pubkey: key, account: this.view(one, key) }));
    }
  }

  private view(one: Subscription, address: string) {
    return accountView(
      this.chain.account(address),
      one.config,
      (mint) => this.chain.mint(mint)?.decimals,
    );
  }

  private inContext(value: unknown) {
    return inContext(this.chain, value);
  }

  private notify({ id, kind }: Subscription, result: unknown): void {
    const params = { result, subscription: id };
    this.send({ jsonrpc: '2.0', method: `${kind}Notification`, params });
  }
}

/** The address or signature that a subscription is for. */
const addressOf = ({ filter }: Subscription): string => (typeof filter === 'string' ? filter : '');
