import { PublicKey } from '@solana/web3.js';
import type { SettlementAddresses, SettlementProgram } from '@tidemill/settlement-client';
import type { Db, Tx } from '../platform/db/db.js';
import type { ChainBooks } from '../settlement/chain-books.js';
import { type ChainMove, chainMoves } from './chain-moves.js';
import { type ChainNode, ChainUnavailableError, type HistoryEntry } from './chain-node.js';
import type { ChainNodes } from './chain-nodes.js';
import { ContradictionError } from './contradiction.js';
import type { ChainStateStore, Cursor } from './chain-state.store.js';

/** Transactions booked in one transaction of the database. */
const PAGE = 50;
/** What one question to a node lists. */
const LISTED = 1_000;

/** Where what the chain did is booked. */
export type Books = Pick<
  ChainBooks,
  'deposited' | 'withdrawalRequested' | 'withdrawn' | 'claimed' | 'feesWithdrawn' | 'seen'
>;

/** What is new on chain, oldest first. */
interface News {
  readonly entries: readonly HistoryEntry[];
  /** There is more after these. */
  readonly hasMore: boolean;
}

/**
 * Books what finalized transactions did with the network's vault, each once: the cursor moves with what is booked. Only what two
 * nodes say alike is booked, so that neither a lie nor a gap of one of them becomes money.
 */
export class Observer {
  constructor(
    private readonly nodes: ChainNodes,
    private readonly program: SettlementProgram,
    private readonly addresses: SettlementAddresses,
    private readonly store: ChainStateStore,
    private readonly books: Books,
    private readonly db: Pick<Db, 'transaction'>,
  ) {}

  /** Books one page. True when there is more at once. @throws ChainUnavailableError, ChainDisagreementError, ContradictionError */
  async turn(): Promise<boolean> {
    const { cursor } = await this.db.transaction((tx) => this.store.state(tx));
    // Before the history, so that everything up to it is in there.
    const slot = await this.nodes.finalizedSlot();
    const { entries, hasMore } = await this.nodes.agreed(
      (node) => newsOf(node, this.addresses.network, cursor, slot),
      (news) => JSON.stringify(news.entries.map(({ signature }) => signature)),
    );
    const moves = await this.movesOf(entries);
    const last = entries.at(-1);
    await this.db.transaction(async (tx) => {
      if (last !== undefined && !(await this.store.advance(tx, cursor, last))) return;
      for (const { signature, of } of moves)
        for (const move of of) await this.book(tx, move, `${signature}:${move.place}`);
      // Of the last one's slot there may be more to come.
      await this.books.seen(tx, hasMore && last !== undefined ? last.slot - 1n : slot);
    });
    return hasMore;
  }

  private async movesOf(
    entries: readonly HistoryEntry[],
  ): Promise<{ signature: string; of: readonly Located[] }[]> {
    const found: { signature: string; of: readonly Located[] }[] = [];
    for (const { signature, hasFailed } of entries) {
      if (hasFailed) continue;
      const moves = await this.nodes.agreed(
        async (node) => {
          const instructions = await node.executed(signature);
          if (instructions === null)
            throw new ChainUnavailableError(`${node.name} does not know ${signature}`);
          return chainMoves(this.program, this.addresses, instructions);
        },
        (answer) => JSON.stringify(answer, (_, value) => bigintAsText(value)),
      );
      found.push({ signature, of: await Promise.all(moves.map((move) => this.located(move))) });
    }
    return found;
  }

  /** With the wallet of a withdrawal, which only the submitter's account names. */
  private async located(move: ChainMove): Promise<Located> {
    if (move.kind !== 'withdrawn') return move;
    const { place, amount, submitterAccount } = move;
    const { data } = await this.nodes.agreed(
      (node) => node.accounts([new PublicKey(submitterAccount)]),
      (answer) => walletIn(this.program, answer.data[0]),
    );
    return { kind: 'withdrawn', place, amount, wallet: walletIn(this.program, data[0]) };
  }

  private async book(tx: Tx, move: Located, ref: string): Promise<void> {
    if (move.kind === 'claimed') return this.bookClaims(tx, move, ref);
    if (move.kind === 'feesWithdrawn')
      return this.books.feesWithdrawn(tx, { amount: move.amount, ref });
    const { kind, wallet, amount } = move;
    await this.books[kind](tx, { wallet, amount, ref });
  }

  /** A claim pays what is new in a leaf. What that was for each of a batch follows from what was booked before it. */
  private async bookClaims(
    tx: Tx,
    { claims, amount }: Extract<ChainMove, { kind: 'claimed' }>,
    ref: string,
  ): Promise<void> {
    const before = await this.store.paid(
      tx,
      claims.map(({ index }) => index),
    );
    const due = claims
      .map(({ index, net }) => ({ index, net, due: net - (before.get(index) ?? 0n) }))
      .filter((claim) => claim.due > 0n);
    const sum = due.reduce((total, claim) => total + claim.due, 0n);
    if (sum !== amount)
      throw new ContradictionError(`${ref} paid ${amount}, by the ledger ${sum} was due`);
    for (const claim of due)
      await this.books.claimed(tx, {
        index: claim.index,
        amount: claim.due,
        ref: `${ref}:${claim.index}`,
      });
    if (due.length > 0)
      await this.store.setPaid(tx, new Map(due.map(({ index, net }) => [index, net])));
  }
}

type Located =
  | Exclude<ChainMove, { kind: 'withdrawn' }>
  | {
      readonly kind: 'withdrawn';
      readonly place: string;
      readonly wallet: string;
      readonly amount: bigint;
    };

const bigintAsText = (value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

function walletIn(program: SettlementProgram, data: Buffer | null | undefined): string {
  if (data == null) throw new ChainUnavailableError('the account of a submitter is not there');
  return program.coder.accounts
    .decode<{ readonly submitter: PublicKey }>('submitter', data)
    .submitter.toBase58();
}

/**
 * What named an address after the cursor and up to a slot, the oldest page of it. A history lists the newest first, so the way goes
 * back to the cursor; only the end of it is kept, however long it was.
 */
async function newsOf(
  node: ChainNode,
  address: PublicKey,
  cursor: Cursor | null,
  slot: bigint,
): Promise<News> {
  if ((await node.finalizedSlot()) < slot)
    throw new ChainUnavailableError(`${node.name} has not come to slot ${slot} yet`);
  let oldest: HistoryEntry[] = [];
  let count = 0;
  for (let before: string | null = null; ;) {
    const listed: HistoryEntry[] = await node.history(address, before, LISTED);
    const end = listed.findIndex(({ signature }) => signature === cursor?.signature);
    const fresh = (end < 0 ? listed : listed.slice(0, end)).filter((entry) => entry.slot <= slot);
    count += fresh.length;
    oldest = [...oldest, ...fresh].slice(-PAGE);
    if (end >= 0 || listed.length < LISTED) {
      if (end < 0 && cursor !== null)
        throw new ChainUnavailableError(`${node.name} no longer knows ${cursor.signature}`);
      break;
    }
    before = listed.at(-1)?.signature ?? null;
  }
  return { entries: oldest.toReversed(), hasMore: count > PAGE };
}
