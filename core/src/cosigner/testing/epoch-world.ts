import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import {
  bytesToHex,
  canonicalJson,
  CHAIN_START,
  chainHash,
  decodeBase58,
  encodeBase58,
  hexToBytes,
  leafHash,
  makeId,
  orderSigningBytes,
  type IdKind,
  type PlacedEvent,
  type ProofCrypto,
  receiptHash,
  receiptText,
  type Receipt,
  type RootStatement,
  SettlementTree,
  type SignedReceipt,
  submitterLeafBytes,
  tagged,
  TAGS,
  trailDigest,
  TreeHasher,
  utf8ToBytes,
  workerLeafBytes,
} from '@tidemill/protocol';
import { nodeSha256 as sha256, nodeVerifier } from '@tidemill/protocol/node';
import { counted, NO_TOTALS, sumOf } from '../../settlement/totals.js';
import type { ChainSubmitter, ChargeRow, CosignerTrust, EpochEvidence } from '../evidence.js';
import { type CosignerMemory, NOTHING_KNOWN } from '../knowledge.js';
import { recompute, type Recomputed } from '../recompute.js';
import { TrailReading } from '../trail-reading.js';

const CRYPTO: ProofCrypto = { sha256, verify: nodeVerifier() };

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const DAY_MS = 24 * 3_600_000;

/** DER of an ed25519 private key (RFC 8410) up to the 32 seed bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key pair that is the same in every run. */
export class Key {
  readonly address: string;
  private readonly secret;

  constructor(seed: Uint8Array) {
    this.secret = createPrivateKey({
      key: Buffer.concat([PKCS8, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const spki = createPublicKey(this.secret).export({ format: 'der', type: 'spki' });
    this.address = encodeBase58(spki.subarray(-32));
  }

  sign(message: Uint8Array): string {
    return encodeBase58(sign(null, message, this.secret));
  }
}

interface WorkedFor {
  readonly worker: number;
  readonly submitter: number;
  readonly price: bigint;
  readonly fee?: bigint;
  readonly payer?: 'submitter' | 'fees';
  readonly refunded?: boolean;
}

/** What may be said otherwise than it is: parts of one epoch, changed before it is judged. */
export interface Lie {
  readonly statement?: (of: RootStatement) => RootStatement;
  readonly evidence?: (of: EpochEvidence) => EpochEvidence;
  readonly events?: (of: readonly PlacedEvent[]) => readonly PlacedEvent[];
  /** Refunds that are shown behind the statement's part of the trail. */
  readonly refundedSince?: readonly string[];
  /** Whether the statement's totals and roots are made again from the changed evidence, as a liar would do. */
  readonly isConsistent?: boolean;
}

/** An honest network on a virtual clock: it writes its trail, charges, seals, and shows all of it, with or without a lie. */
export class EpochWorld {
  readonly trust: CosignerTrust = {
    name: 'testnet',
    network: new Uint8Array(32).fill(7),
    program: new Uint8Array(32).fill(8),
    maxFeeBps: 1_000,
  };
  readonly keys: Key[] = [];
  readonly wallets: Key[] = [];
  readonly events: PlacedEvent[] = [];
  readonly deposits = new Map<string, ChainSubmitter>();
  memory: CosignerMemory = NOTHING_KNOWN;
  nowMs = NOW_MS;
  paid: bigint[] = [];
  private readonly workerIds: string[] = [];
  private readonly payouts: string[] = [];
  private readonly accounts: string[] = [];
  private charges: ChargeRow[] = [];
  private shown: { workers: EpochEvidence['workers']; submitters: EpochEvidence['submitters'] } = {
    workers: [],
    submitters: [],
  };
  private ids = 0;

  /** A world with so many workers and submitters, and a thousand units deposited by each. */
  constructor(workers = 3, submitters = 2) {
    for (let at = 0; at < workers; at += 1) this.join();
    for (let at = 0; at < submitters; at += 1) this.deposit();
  }

  private id<K extends IdKind>(kind: K) {
    this.ids += 1;
    const random = sha256(utf8ToBytes(`${kind} ${this.ids}`)).subarray(0, 10);
    return makeId(kind, this.nowMs, random);
  }

  newKey(): Key {
    this.ids += 1;
    return new Key(sha256(utf8ToBytes(`key ${this.ids}`)));
  }

  join(): void {
    const key = this.newKey();
    const id = this.id('worker');
    this.keys.push(key);
    this.workerIds.push(id);
    this.payouts.push(key.address);
    this.write('worker.joined', id, { worker: id, publicKey: key.address });
  }

  deposit(units = 1_000n): void {
    const wallet = this.newKey();
    this.wallets.push(wallet);
    this.accounts.push(this.id('account'));
    this.deposits.set(wallet.address, { deposited: units, withdrawn: 0n, openedSlot: 5n });
  }

  worker(at: number): string {
    return this.workerIds[at] ?? '';
  }

  wallet(at: number): string {
    return this.wallets[at]?.address ?? '';
  }

  /** Orders another payout address and lets the day pass, or less. */
  changePayout(at: number, payout: string, waitMs = DAY_MS, by = this.keys[at]): void {
    const id = this.worker(at);
    const order = canonicalJson({
      order: 'payout',
      network: this.trust.name,
      audience: 'here',
      workerId: id,
      issuedAtMs: this.nowMs,
      payout,
    });
    const signature = by?.sign(orderSigningBytes(order)) ?? '';
    this.write('worker.payout-ordered', id, { worker: id, order, signature });
    this.nowMs += waitMs;
    this.write('worker.payout-changed', id, { worker: id, payout });
    this.payouts[at] = payout;
  }

  /** A job from its acceptance to its charge, which the next epoch contains. */
  work(of: WorkedFor): ChargeRow {
    const { worker, submitter, price, fee = 0n, payer = 'submitter', refunded = false } = of;
    const [job, attempt] = [this.id('job'), this.id('attempt')];
    this.write('job.accepted', job, { account: this.accounts[submitter], hold: String(price) });
    const receipt = this.receipt(worker, job, attempt);
    this.write('receipt.stored', attempt, { attempt, receipt: receipt.hash });
    this.write('verdict.given', attempt, { attempt, verdict: 'accepted', payer });
    this.write('ledger.booked', attempt, {
      attempt,
      job,
      worker: this.worker(worker),
      price: String(price),
      fee: String(fee),
      payer,
    });
    if (refunded) this.write('ledger.refunded', attempt, { attempt, job, price: String(price) });
    const charge: ChargeRow = {
      attempt,
      job,
      worker: this.worker(worker),
      index: worker,
      submitter: this.wallet(submitter),
      price,
      fee,
      payer,
      refunded,
      receipt,
    };
    this.charges.push(charge);
    return charge;
  }

  receipt(worker: number, job: string, attempt: string): SignedReceipt {
    const says: Receipt = {
      network: this.trust.name,
      audience: 'here',
      workerId: this.worker(worker) as Receipt['workerId'],
      jobId: job as Receipt['jobId'],
      taskId: this.id('task'),
      attemptId: attempt as Receipt['attemptId'],
      fence: 1,
      taskDigest: `sha256:${'0'.repeat(64)}` as Receipt['taskDigest'],
      runtimeClass: 'noop',
      outcome: 'succeeded',
      failure: null,
      outputs: [],
      commitment: null,
      metrics: {},
      usage: { billableMs: 1, cpuMs: 1, maxRssMib: 1 },
      issuedAtMs: this.nowMs,
      expiresAtMs: this.nowMs + DAY_MS,
    };
    const text = receiptText(says);
    const hash = receiptHash(text, sha256);
    return {
      attemptId: says.attemptId,
      workerId: says.workerId,
      publicKey: this.keys[worker]?.address ?? '',
      text,
      hash: bytesToHex(hash),
      batch: {
        index: 0,
        size: 1,
        path: [],
        signature: this.keys[worker]?.sign(tagged(TAGS.receipts, hash)) ?? '',
      },
    };
  }

  write(kind: string, subject: string, said: object): void {
    this.nowMs += 1;
    this.events.push(
      placed({ kind, subject, atMs: this.nowMs, body: JSON.stringify(said) }, this.events),
    );
  }

  /** What the orchestrator shows of the epoch that would be sealed now. */
  evidence(): EpochEvidence {
    const sums = (of: (charge: ChargeRow) => boolean) =>
      sumOf(this.charges.filter(of).map(counted));
    const workers = this.workerIds.map((worker, index) => ({
      index,
      worker,
      payee: this.payouts[index] ?? '',
      lifetimeEarned:
        (this.shown.workers[index]?.lifetimeEarned ?? 0n) +
        sums((charge) => charge.index === index).earned,
      lifetimeSlashed: 0n,
    }));
    const submitters = this.wallets.map(({ address }, index) => ({
      index,
      submitter: address,
      lifetimeSpent:
        (this.shown.submitters[index]?.lifetimeSpent ?? 0n) +
        sums(({ submitter }) => submitter === address).spent,
      lifetimeRefunded: 0n,
      held: 0n,
    }));
    const unsigned: Omit<EpochEvidence, 'statement'> = {
      workers,
      submitters,
      charges: this.charges,
    };
    const statement: RootStatement = {
      network: this.trust.network,
      program: this.trust.program,
      epoch: this.memory.epoch + 1n,
      sealedSlot: 10n * (this.memory.epoch + 1n),
      workerRoot: new Uint8Array(32),
      workerDepth: 0,
      submitterRoot: new Uint8Array(32),
      submitterDepth: 0,
      totals: NO_TOTALS,
      trailRoot: hexToBytes(rootOfEvents(this.events)),
      trailSize: BigInt(this.events.length),
      registryRoot: new Uint8Array(32),
    };
    return this.consistent({ ...unsigned, statement });
  }

  /** The same with the roots and totals that follow from its leaves and charges. */
  consistent(evidence: EpochEvidence): EpochEvidence {
    const { network } = this.trust;
    const paid = new SettlementTree(
      evidence.workers.map((leaf) =>
        sha256(workerLeafBytes(network, { ...leaf, payee: addressBytes(leaf.payee) })),
      ),
      sha256,
    );
    const paying = new SettlementTree(
      evidence.submitters.map((leaf) =>
        sha256(submitterLeafBytes(network, { ...leaf, submitter: addressBytes(leaf.submitter) })),
      ),
      sha256,
    );
    const totals = sumOf([this.memory.totals, ...evidence.charges.map(counted)]);
    return {
      ...evidence,
      statement: {
        ...evidence.statement,
        workerRoot: paid.root,
        workerDepth: paid.depth,
        submitterRoot: paying.root,
        submitterDepth: paying.depth,
        totals,
      },
    };
  }

  /** Seals what has happened, changed by a lie, and has a co-signer judge it. It learns only from what it finds right. */
  judge(lie: Lie = {}): Recomputed {
    const honest = this.evidence();
    let evidence = lie.evidence?.(honest) ?? honest;
    if (lie.isConsistent === true) evidence = this.consistent(evidence);
    if (lie.statement !== undefined)
      evidence = { ...evidence, statement: lie.statement(evidence.statement) };
    const events = lie.events?.(this.events) ?? this.events;
    if (lie.isConsistent === true && lie.events !== undefined) {
      const statement = {
        ...evidence.statement,
        trailRoot: hexToBytes(rootOfEvents(events)),
        trailSize: BigInt(events.length),
      };
      evidence = { ...evidence, statement };
    }
    const trail = new TrailReading(this.memory.trail, this.trust.name, CRYPTO);
    for (const event of events.slice(this.memory.trail.size)) trail.add(event);
    const deposited = [...this.deposits.values()].reduce((sum, one) => sum + one.deposited, 0n);
    const paid = this.paid.reduce((sum, one) => sum + one, 0n);
    const result = recompute(
      {
        memory: this.memory,
        evidence,
        trail,
        refundedSince: new Set(lie.refundedSince),
        trust: this.trust,
        chain: {
          slot: 1_000n,
          lastEpoch: this.memory.epoch,
          totals: { deposited, withdrawn: 0n, paid, feesWithdrawn: 0n },
          submitters: this.deposits,
          paidOf: (index) => this.paid[index] ?? 0n,
        },
      },
      CRYPTO,
    );
    if (result.ok) {
      this.memory = result.memory;
      this.shown = evidence;
      this.charges = [];
    }
    return result;
  }
}

/** An event at the end of others, with its digest and chain hash. */
function placed(
  event: Pick<PlacedEvent, 'kind' | 'subject' | 'atMs' | 'body'>,
  before: readonly PlacedEvent[],
): PlacedEvent {
  const digest = trailDigest(event, sha256);
  const leaf = leafHash(digest, sha256);
  const chain = chainHash(before.at(-1)?.chain ?? CHAIN_START, leaf, sha256);
  return { ...event, place: before.length, digest, chain };
}

/** Events whose contents changed, chained anew, as a liar would do. */
export function chained(events: readonly PlacedEvent[]): PlacedEvent[] {
  const all: PlacedEvent[] = [];
  for (const event of events) all.push(placed(event, all));
  return all;
}

function rootOfEvents(events: readonly PlacedEvent[]): string {
  const tree = new TreeHasher(sha256);
  for (const { digest } of events) tree.append(leafHash(digest, sha256));
  return bytesToHex(tree.root());
}

function addressBytes(text: string): Uint8Array {
  const bytes = decodeBase58(text);
  if (bytes?.length !== 32) throw new RangeError(`${text} is not an address`);
  return bytes;
}
