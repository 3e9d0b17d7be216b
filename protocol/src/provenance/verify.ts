import { Provenance } from './bundle.js';
import { Case, fault, type ProvenanceFault } from './case.js';
import { checkWorkers } from './check-keys.js';
import { checkCharges, checkLedger, heldOf } from './check-money.js';
import { checkCheckpoint, checkEvents, type ProvenanceTrust } from './check-trail.js';
import {
  checkAttempts,
  checkReceipts,
  checkSpec,
  checkTasks,
  checkVerdicts,
} from './check-work.js';
import type { ProofCrypto } from './receipt-proof.js';

/** One check: what it looked at, how many there were, and what was wrong. A check behind a fault was not made. */
export interface ProvenanceCheck {
  readonly name: string;
  readonly of: number;
  readonly result: 'ok' | 'bad' | 'not checked';
}

export interface ProvenanceReport {
  readonly checks: readonly ProvenanceCheck[];
  /** The first thing that is wrong; null when all is in order. */
  readonly fault: ProvenanceFault | null;
  /** Whether the job is over and its hold spent or returned: then nothing can be added to what is shown. */
  readonly isSettled: boolean;
  readonly keyFrom: 'given' | 'shown';
}

type Step = readonly [name: string, of: number, check: (of: Case) => ProvenanceFault | null];

/**
 * Checks a provenance bundle with nothing but itself and, best, the operator's key from elsewhere (G18). It names the first thing
 * that is wrong. Pure, so that it runs in a browser too. Never throws.
 */
export function verifyProvenance(
  value: unknown,
  trust: ProvenanceTrust,
  crypto: ProofCrypto,
): ProvenanceReport {
  const keyFrom = trust.publicKeys === undefined ? 'shown' : 'given';
  const parsed = Provenance.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const detail = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a bundle'}`;
    const checks = [{ name: 'form', of: 1, result: 'bad' as const }];
    return { checks, fault: fault('BUNDLE_MALFORMED', detail), isSettled: false, keyFrom };
  }
  const bundle = parsed.data;
  const { tasks, attempts, receipts, ledger, trail, job } = bundle;
  const steps: readonly Step[] = [
    ['checkpoint', 1, (of) => checkCheckpoint(of, trust)],
    ['trail events', trail.events.length, checkEvents],
    ['spec', 1, (of) => checkSpec(of, trust)],
    ['tasks', tasks.length, checkTasks],
    ['worker keys', bundle.workers.length, checkWorkers],
    ['attempts and fences', attempts.length, checkAttempts],
    ['signed receipts', receipts.length, checkReceipts],
    ['verdicts', attempts.filter(({ verdict }) => verdict !== null).length, checkVerdicts],
    ['charges', attempts.filter(({ charge }) => charge !== null).length, checkCharges],
    ['ledger entries', ledger.length, checkLedger],
  ];
  const of = new Case(bundle, crypto);
  const checks: ProvenanceCheck[] = [{ name: 'form', of: 1, result: 'ok' }];
  let found: ProvenanceFault | null = null;
  for (const [name, count, check] of steps) {
    const before = found;
    found ??= check(of);
    const result = before !== null ? 'not checked' : found === null ? 'ok' : 'bad';
    checks.push({ name, of: count, result });
  }
  const isSettled = found === null && job.finishedAt !== null && heldOf(bundle) === 0n;
  return { checks, fault: found, isSettled, keyFrom };
}
