import {
  bytesToHex,
  chainHash,
  isTrailName,
  leafHash,
  madeAtMs,
  parseJson,
  PAYOUT_DELAY_MS,
  type PlacedEvent,
  type ProofCrypto,
  trailDigest,
  TreeHasher,
} from '@tidemill/protocol';
import type { Booked, KnownJob, KnownVerdict, KnownWorker, TrailKnowledge } from './knowledge.js';
import { objection, type Objection } from './objection.js';
import { signedOrder } from './owner-orders.js';

/** Longest body of an event that is read here. */
const MAX_BODY = 1_000_000;

/** An attempt is booked at most this long after it was begun; what is older is forgotten, and refused when it comes again. */
const ATTEMPT_WINDOW_MS = 60 * 24 * 3_600_000;

type Said = Readonly<Record<string, unknown>>;

/**
 * Goes on reading a trail from where a co-signer was, event by event. It computes the tree itself, so a trail that changed behind it
 * has another root. What is asked for is in `knowledge`; the memory it began with is not touched.
 */
export class TrailReading {
  readonly #tree: TreeHasher;
  #chain: Uint8Array;
  #atMs: number;
  readonly #workers: Map<string, KnownWorker>;
  readonly #jobs: Map<string, KnownJob>;
  readonly #receipts: Map<string, string>;
  readonly #verdicts: Map<string, KnownVerdict>;
  readonly #booked: Map<string, Booked>;
  readonly #joined: Set<string>;
  #objection: Objection | null = null;

  constructor(
    before: TrailKnowledge,
    private readonly network: string,
    private readonly crypto: ProofCrypto,
  ) {
    this.#tree = new TreeHasher(crypto.sha256, before.size, before.frontier);
    this.#chain = before.chain;
    this.#atMs = before.atMs;
    this.#workers = new Map(before.workers);
    this.#jobs = new Map(before.jobs);
    this.#receipts = new Map(before.receipts);
    this.#verdicts = new Map(before.verdicts);
    this.#booked = new Map(before.booked);
    this.#joined = new Set(before.joined);
  }

  /** How many events have been read, from the first one on. */
  get size(): number {
    return this.#tree.size;
  }

  /** The RFC 6962 root over them, in hex. */
  get root(): string {
    return bytesToHex(this.#tree.root());
  }

  get objection(): Objection | null {
    return this.#objection;
  }

  /** Takes the next event. After an objection more events change nothing. */
  add(event: PlacedEvent): void {
    this.#objection ??= this.#formFault(event);
    if (this.#objection !== null) return;
    const leaf = leafHash(event.digest, this.crypto.sha256);
    this.#tree.append(leaf);
    this.#chain = chainHash(this.#chain, leaf, this.crypto.sha256);
    this.#atMs = Math.max(this.#atMs, event.atMs);
    this.#objection = this.#learn(event);
  }

  knowledge(): TrailKnowledge {
    this.#forgetOld();
    return {
      size: this.size,
      chain: this.#chain,
      frontier: this.#tree.frontier(),
      atMs: this.#atMs,
      workers: this.#workers,
      jobs: this.#jobs,
      receipts: this.#receipts,
      verdicts: this.#verdicts,
      booked: this.#booked,
      joined: this.#joined,
    };
  }

  #formFault(event: PlacedEvent): Objection | null {
    const { kind, subject, atMs, place, digest } = event;
    if (place !== this.size)
      return objection('TRAIL_MALFORMED', `place ${place} stands where ${this.size} is due`);
    const isNamed = isTrailName(kind) && isTrailName(subject) && Number.isSafeInteger(atMs);
    if (!isNamed || bytesToHex(trailDigest(event, this.crypto.sha256)) !== bytesToHex(digest))
      return objection('TRAIL_MALFORMED', `the event at ${place} is not what its digest says`);
    const leaf = leafHash(digest, this.crypto.sha256);
    const chain = chainHash(this.#chain, leaf, this.crypto.sha256);
    return bytesToHex(chain) === bytesToHex(event.chain)
      ? null
      : objection('TRAIL_FORKED', `the event at ${place} does not continue the one before`);
  }

  #learn({ kind, subject, body, atMs, place }: PlacedEvent): Objection | null {
    const learn = this.#lessons[kind];
    if (learn === undefined) return null;
    const json = parseJson(body, MAX_BODY);
    const said = json.ok && isRecord(json.value) ? json.value : {};
    const why = learn(subject, said, atMs);
    return why === null ? null : objection('TRAIL_MALFORMED', `${kind} at ${place}: ${why}`);
  }

  /** What each kind of event teaches, and why it cannot be so. Kinds that are not about money pass by. */
  readonly #lessons: Readonly<
    Record<string, (subject: string, said: Said, atMs: number) => string | null>
  > = {
    'worker.joined': (id, { publicKey }) => {
      if (typeof publicKey !== 'string') return 'no key';
      if (this.#workers.has(id)) return `${id} joins twice`;
      this.#workers.set(id, { keys: [publicKey], payout: publicKey, ordered: null });
      return null;
    },
    'worker.key-changed': (id, said) => {
      const worker = this.#workers.get(id);
      const order = worker && this.#order(id, worker.keys.at(-1), said);
      if (worker === undefined || order?.order !== 'key') return `${id} did not order it`;
      this.#workers.set(id, { ...worker, keys: [...worker.keys, order.publicKey] });
      return null;
    },
    'worker.payout-ordered': (id, said, atMs) => {
      const worker = this.#workers.get(id);
      const order = worker && this.#order(id, worker.payout, said);
      if (worker === undefined || order?.order !== 'payout') return `${id} did not order it`;
      const ordered = order.payout === worker.payout ? null : { payout: order.payout, atMs };
      this.#workers.set(id, { ...worker, ordered });
      return null;
    },
    'worker.payout-changed': (id, { payout }, atMs) => {
      const worker = this.#workers.get(id);
      const ordered = worker?.ordered ?? null;
      if (worker === undefined || ordered?.payout !== payout) return `${id} did not order it`;
      if (ordered === null || !isDue(ordered, atMs)) return `${id} ordered it less than a day ago`;
      this.#workers.set(id, { ...worker, payout: ordered.payout, ordered: null });
      return null;
    },
    'job.accepted': (id, { account, hold }) => {
      const units = amountOf(hold);
      if (typeof account !== 'string' || units === null) return 'no account or hold';
      if (this.#jobs.has(id)) return `${id} is accepted twice`;
      this.#jobs.set(id, { account, hold: units });
      return null;
    },
    'receipt.stored': (attempt, { receipt }) => {
      if (typeof receipt === 'string') this.#receipts.set(attempt, receipt);
      return null;
    },
    'verdict.given': (attempt, { verdict, payer, receipt }) => {
      const stored = this.#receipts.get(attempt);
      const named = typeof receipt === 'string' ? receipt : (stored ?? null);
      if (stored !== undefined && stored !== named) return `${attempt} has two receipts`;
      this.#receipts.delete(attempt);
      if (verdict !== 'accepted' || (payer !== 'submitter' && payer !== 'fees')) return null;
      if (this.#verdicts.has(attempt)) return `${attempt} is judged twice`;
      this.#verdicts.set(attempt, { payer, receipt: named });
      return null;
    },
    'ledger.booked': (attempt, { job, worker, price, fee, payer }) => {
      const [units, ofIt] = [amountOf(price), amountOf(fee)];
      if (typeof job !== 'string' || typeof worker !== 'string') return 'no job or worker';
      if (units === null || ofIt === null) return 'no price or fee';
      if (payer !== 'submitter' && payer !== 'fees') return 'no payer';
      if (this.#booked.has(attempt) || this.#joined.has(attempt))
        return `${attempt} is booked twice`;
      if (this.#isOld(attempt)) return `${attempt} is too old to be booked`;
      this.#booked.set(attempt, { job, worker, price: units, fee: ofIt, payer, refunded: false });
      return null;
    },
    'ledger.refunded': (attempt) => {
      const charge = this.#booked.get(attempt);
      if (charge === undefined) return `${attempt} is not booked, or is settled`;
      if (charge.refunded || charge.payer !== 'submitter') return `${attempt} cannot be refunded`;
      this.#booked.set(attempt, { ...charge, refunded: true });
      return null;
    },
  };

  #order(worker: string, publicKey: string | undefined, { worker: _, ...said }: Said) {
    const expected = { worker, network: this.network, publicKey: publicKey ?? '' };
    return signedOrder(said, expected, this.crypto.verify);
  }

  #isOld(id: string): boolean {
    const atMs = madeAtMs(id);
    return !(atMs >= this.#atMs - ATTEMPT_WINDOW_MS);
  }

  /** What nothing can refer to any more: an older attempt is refused when it comes again. */
  #forgetOld(): void {
    const openJobs = new Set([...this.#booked.values()].map(({ job }) => job));
    for (const id of this.#jobs.keys())
      if (this.#isOld(id) && !openJobs.has(id)) this.#jobs.delete(id);
    for (const id of this.#receipts.keys()) if (this.#isOld(id)) this.#receipts.delete(id);
    for (const id of this.#verdicts.keys())
      if (this.#isOld(id) && !this.#booked.has(id)) this.#verdicts.delete(id);
    for (const id of this.#joined) if (this.#isOld(id)) this.#joined.delete(id);
  }
}

/** The database counts the day, the orchestrator writes the times: their clocks may differ by so much. */
const CLOCKS_MS = 60_000;

/** Whether a change of address has waited for as long as it has to. */
export const isDue = ({ atMs }: { readonly atMs: number }, nowMs: number): boolean =>
  nowMs - atMs >= PAYOUT_DELAY_MS - CLOCKS_MS;

const isRecord = (value: unknown): value is Said => typeof value === 'object' && value !== null;

function amountOf(text: unknown): bigint | null {
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : null;
}
