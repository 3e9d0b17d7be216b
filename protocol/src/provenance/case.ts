import { parseJson } from '../json-scan.js';
import type { Receipt } from '../receipt.js';
import type { Provenance, ProvenEvent } from './bundle.js';
import type { ProofCrypto, ReceiptFaultCode } from './receipt-proof.js';

/** What a verifier can find wrong; each code names one kind of lie, and docs/evidence.md says what it means. */
export type ProvenanceFaultCode =
  | ReceiptFaultCode
  | 'BUNDLE_MALFORMED'
  | 'NETWORK_MISMATCH'
  | 'CHECKPOINT_KEY'
  | 'CHECKPOINT_SIGNATURE'
  | 'EVENT_DIGEST'
  | 'EVENT_NOT_INCLUDED'
  | 'EVENT_TWICE'
  | 'EVENT_FOREIGN'
  | 'SPEC_DIGEST'
  | 'JOB_NOT_ACCEPTED'
  | 'JOB_CONTRADICTS'
  | 'TASK_CONTRADICTS'
  | 'TASK_DIGEST'
  | 'TASK_INPUTS'
  | 'TASK_SEED'
  | 'WORKER_KEY'
  | 'ATTEMPT_NOT_PLACED'
  | 'ATTEMPT_CONTRADICTS'
  | 'FENCE_NOT_RISING'
  | 'RECEIPT_MISSING'
  | 'RECEIPT_FOREIGN'
  | 'RECEIPT_NOT_IN_TRAIL'
  | 'RECEIPT_MISMATCH'
  | 'OUTPUT_CONTRADICTS'
  | 'VERDICT_MISSING'
  | 'VERDICT_CONTRADICTS'
  | 'RESULT_MISSING'
  | 'CHARGE_CONTRADICTS'
  | 'LEDGER_UNBALANCED'
  | 'LEDGER_TWICE'
  | 'LEDGER_FOREIGN'
  | 'LEDGER_CONTRADICTS'
  | 'LEDGER_MISSING';

export interface ProvenanceFault {
  readonly code: ProvenanceFaultCode;
  readonly detail: string;
}

/** Longest body of a trail event that is read here. */
const MAX_BODY = 1_000_000;

type Said = Readonly<Record<string, unknown>>;

/** A bundle under examination: its parts by name, and what earlier checks found to be true. */
export class Case {
  /** Receipts whose signatures hold. */
  readonly receipts = new Map<string, Receipt>();
  /** Every key that each worker has had. */
  readonly keys = new Map<string, ReadonlySet<string>>();
  readonly #events = new Map<string, ProvenEvent[]>();

  constructor(
    readonly bundle: Provenance,
    readonly crypto: ProofCrypto,
  ) {
    for (const event of bundle.trail.events) {
      const name = `${event.kind} ${event.subject}`;
      this.#events.set(name, [...(this.#events.get(name) ?? []), event]);
    }
  }

  /** The bodies of the events of a kind about a subject, in order of place. */
  said(kind: string, subject: string): Said[] {
    const events = this.#events.get(`${kind} ${subject}`) ?? [];
    return [...events].sort((a, b) => a.place - b.place).map(({ body }) => bodyOf(body));
  }
}

function bodyOf(text: string): Said {
  const json = parseJson(text, MAX_BODY);
  return json.ok && typeof json.value === 'object' && json.value !== null
    ? (json.value as Said) // every member that is read is compared with something of a known type
    : {};
}

export const fault = (code: ProvenanceFaultCode, detail: string): ProvenanceFault => ({
  code,
  detail,
});

/** The first fault that the check finds among the items. */
export function firstFault<T>(
  items: Iterable<T>,
  check: (item: T) => ProvenanceFault | null,
): ProvenanceFault | null {
  for (const item of items) {
    const found = check(item);
    if (found !== null) return found;
  }
  return null;
}
