import {
  ComputeBudgetProgram,
  PACKET_DATA_SIZE,
  PublicKey,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import {
  type NodeWord,
  priorityFee,
  type PriorityFeeRule,
  transactionStep,
} from '@tidemill/core/settlement';
import { encodeBase58 } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { refusalOf } from '@tidemill/settlement-client';
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.js';
import type { ChainNode } from './chain-node.js';
import type { ChainNodes } from './chain-nodes.js';
import type { SignedTransaction, TransactionsStore } from './transactions.store.js';

/** How many are looked after in a turn: what one question to a node may ask about. */
const MAX_LIVE = 256;
/** The same bytes go out again after this: a leader has had its turn. */
const RESEND_AFTER_MS = 2_000;
/** A purpose that the chain took and refused so often is left to people: each time costs a fee. */
const MAX_FAILURES = 3;

/** Stands in for a blockhash where only the length counts. */
const NO_BLOCKHASH = '11111111111111111111111111111111';

/** What somebody wants to happen on chain. */
export interface Order {
  /** Names it for ever: it happens at most once. */
  readonly purpose: string;
  readonly instructions: readonly TransactionInstruction[];
  /** What it may compute. */
  readonly units: number;
  /** The first pays. */
  readonly signers: readonly [Signer, ...Signer[]];
}

/** What there is to say of an order at once; what becomes of it is for a later turn. */
export type Begun =
  | { readonly state: 'under way' | 'done' | 'given up' }
  /** It would fail now, so nothing was signed. */
  | { readonly state: 'refused'; readonly why: string };

/**
 * Sends transactions so that each purpose happens at most once, whatever the chain, the nodes and this process do (G10): the bytes
 * are committed before they leave, after a crash the same bytes are sent, and new ones are signed only when the old can never land.
 */
export class Sender {
  private readonly sentAtMs = new Map<string, number>();

  constructor(
    private readonly store: TransactionsStore,
    private readonly nodes: ChainNodes,
    private readonly fees: PriorityFeeRule,
    private readonly clock: Clock,
    private readonly log: Logger,
    /** The rule of what to do next; a test puts a wrong one in its place, to see that it is found out. */
    private readonly stepOf = transactionStep,
  ) {}

  /** Signs and sends, unless that has been done. @throws ChainUnavailableError before anything was signed */
  async begin(order: Order): Promise<Begun> {
    const { purpose } = order;
    const { isLive, isDone, failed, expired } = await this.store.history(purpose);
    if (isDone) return { state: 'done' };
    if (isLive) return { state: 'under way' };
    if (failed >= MAX_FAILURES) return { state: 'given up' };
    const microLamports = await this.feeFor(order, expired);
    const { blockhash, lastValidHeight } = await this.nodes.blockhash(expired);
    const transaction = build(order, microLamports, blockhash);
    const logs = await this.nodes.any((node) => node.failureOf(transaction), expired);
    if (logs !== null) {
      const why = refusalOf(logs)?.name ?? logs.at(-1) ?? 'it would fail';
      return { state: 'refused', why };
    }
    const signed = sign(transaction, order.signers, { purpose, lastValidHeight, microLamports });
    // Another replica may have been faster. From here on these bytes are the only ones.
    if (!(await this.store.add(signed))) return { state: 'under way' };
    this.log.info({ purpose, signature: signed.signature, microLamports }, 'transaction signed');
    await this.send(signed);
    return { state: 'under way' };
  }

  /** Looks after everything that could still land. */
  async turn(): Promise<void> {
    const live = await this.store.live(MAX_LIVE);
    if (live.length === 0) return;
    const words = await this.nodes.each((node) => wordsOf(node, live));
    for (const [at, transaction] of live.entries()) {
      const said = words.map((word): NodeWord => word?.[at] ?? null);
      const step = this.stepOf(transaction.lastValidHeight, said);
      if (step === 'resend') await this.resend(transaction);
      else if (step !== 'wait') await this.end(transaction, step);
    }
  }

  private async end(
    { purpose, signature }: SignedTransaction,
    step: 'done' | 'failed' | 'expired',
  ): Promise<void> {
    this.sentAtMs.delete(signature);
    if (!(await this.store.end(signature, step))) return;
    this.log[step === 'failed' ? 'error' : 'info'](
      { purpose, signature, state: step },
      'transaction ended',
    );
  }

  private async resend(transaction: SignedTransaction): Promise<void> {
    const sentAtMs = this.sentAtMs.get(transaction.signature) ?? -Infinity;
    if (this.clock.monotonicMs() - sentAtMs < RESEND_AFTER_MS) return;
    await this.send(transaction);
  }

  /** To every node: one may take it and lose it. An error says nothing of what happened, so it is not acted on. */
  private async send({ signature, wire }: SignedTransaction): Promise<void> {
    this.sentAtMs.set(signature, this.clock.monotonicMs());
    await this.nodes.each((node) => node.send(wire));
  }

  private async feeFor({ instructions }: Order, tries: number): Promise<number> {
    const changed = instructions.flatMap(({ keys }) =>
      keys.filter(({ isWritable }) => isWritable).map(({ pubkey }) => pubkey),
    );
    const answers = await this.nodes.each((node) => node.recentFees(changed.slice(0, 128)));
    return priorityFee(
      answers.flatMap((fees) => fees ?? []),
      tries,
      this.fees,
    );
  }
}

/** Whether an order is a transaction that a cluster takes: at most 1,232 bytes. */
export function fits(order: Order): boolean {
  try {
    // Its serialization writes into as many bytes as a packet has.
    return build(order, 0, NO_BLOCKHASH).serialize().length <= PACKET_DATA_SIZE;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

/** The height first: what landed below it is then in the history. */
async function wordsOf(
  node: ChainNode,
  live: readonly SignedTransaction[],
): Promise<NonNullable<NodeWord>[]> {
  const finalizedHeight = await node.finalizedHeight();
  const sightings = await node.sightings(live.map(({ signature }) => signature));
  return sightings.map((sighting) => ({ finalizedHeight, sighting }));
}

/** The budget stands last, so that instructions which count those before them need not know of it. */
function build(
  { instructions, units, signers: [payer] }: Order,
  microLamports: number,
  recentBlockhash: string,
): VersionedTransaction {
  const message = new TransactionMessage({
    payerKey: new PublicKey(payer.publicKey),
    recentBlockhash,
    instructions: [
      ...instructions,
      ComputeBudgetProgram.setComputeUnitLimit({ units }),
      ComputeBudgetProgram.setComputeUnitPrice({ microLamports }),
    ],
  });
  return new VersionedTransaction(message.compileToV0Message());
}

function sign(
  transaction: VersionedTransaction,
  signers: readonly Signer[],
  rest: Pick<SignedTransaction, 'purpose' | 'lastValidHeight' | 'microLamports'>,
): SignedTransaction {
  const message = transaction.message.serialize();
  for (const signer of signers)
    transaction.addSignature(new PublicKey(signer.publicKey), signer.sign(message));
  const [first] = transaction.signatures;
  if (first === undefined) throw new TypeError('a transaction without a signature');
  return { ...rest, signature: encodeBase58(first), wire: transaction.serialize() };
}
