import {
  bytesToHex,
  decodeBase58,
  type ProofCrypto,
  type RootStatement,
  rootStatementBytes,
  type Sha256,
  SettlementTree,
  submitterLeafBytes,
  type SettlementTotals,
  workerLeafBytes,
} from '@tidemill/protocol';
import { isSolvent } from '../settlement/solvency.js';
import { counted, faultOf, sumOf } from '../settlement/totals.js';
import { checkCharges, type CheckedCharges } from './check-charges.js';
import { checkSubmitters, checkWorkers } from './check-leaves.js';
import type { CosignerTrust, EpochEvidence, Judgement } from './evidence.js';
import type { CosignerMemory, SubmitterRow, TrailKnowledge, WorkerRow } from './knowledge.js';
import { objection, type Objection } from './objection.js';
import type { TrailReading } from './trail-reading.js';

export type Recomputed =
  /** The statement is right: it may be signed, once `memory` is kept. */
  | { readonly ok: true; readonly memory: CosignerMemory }
  | { readonly ok: false; readonly objection: Objection };

/**
 * Works an epoch out anew from the trail, the receipts and the chain, and says whether the statement is what comes of it (G8, G15, G17).
 * Pure; never throws on what it is shown.
 */
export function recompute(judgement: Judgement, crypto: ProofCrypto): Recomputed {
  const { memory, evidence, trail, chain, trust } = judgement;
  const { statement, charges } = evidence;
  const refuse = (found: Objection): Recomputed => ({ ok: false, objection: found });
  const early = statementFault(judgement, crypto) ?? trailFault(memory, statement, trail);
  if (early !== null) return refuse(early);
  const knowledge = trail.knowledge();

  const unkept = [...memory.promised].find((id) => knowledge.booked.get(id)?.refunded !== true);
  if (unkept !== undefined)
    return refuse(objection('TRAIL_FORKED', `a refund of ${unkept} was shown, and is not there`));
  const checked = checkCharges(evidence, memory, knowledge, trust, crypto);
  if ('code' in checked) return refuse(checked);
  const totals = sumOf([memory.totals, ...charges.map(counted)]);
  const late =
    checkWorkers(evidence, memory, knowledge, chain) ??
    checkSubmitters(judgement, knowledge, checked.wallets) ??
    totalsFault(statement.totals, totals, memory.totals) ??
    rootFault(evidence, trust, crypto.sha256);
  if (late !== null) return refuse(late);
  if (!isSolvent(totals, chain.totals))
    return refuse(objection('INSOLVENT', 'the vault does not hold what would be owed'));
  return { ok: true, memory: after(judgement, knowledge, checked, crypto.sha256) };
}

function statementFault(
  { memory, evidence: { statement }, chain, trust }: Judgement,
  { sha256 }: ProofCrypto,
): Objection | null {
  const { network, program, epoch, sealedSlot, registryRoot } = statement;
  if (!areEqual(network, trust.network) || !areEqual(program, trust.program))
    return objection('WRONG_NETWORK', 'the statement is for another network or program');
  const signed = memory.signed.get(String(epoch));
  if (signed !== undefined && signed !== statementHash(statement, sha256))
    return objection('TWO_STATEMENTS', `another statement of epoch ${epoch} was signed`);
  if (epoch !== memory.epoch + 1n)
    return objection('WRONG_EPOCH', `epoch ${epoch} comes after ${memory.epoch}`);
  if (sealedSlot < memory.sealedSlot || sealedSlot > chain.slot)
    return objection('SEALED_SLOT', `slot ${sealedSlot} is before the last one or not final yet`);
  return registryRoot.every((byte) => byte === 0)
    ? null
    : objection('REGISTRY', 'it names a registry, and there is none to check it against');
}

function trailFault(
  memory: CosignerMemory,
  { trailSize, trailRoot }: RootStatement,
  trail: TrailReading,
): Objection | null {
  if (trailSize < BigInt(memory.trail.size))
    return objection('TRAIL_REWOUND', `${trailSize} events, there were ${memory.trail.size}`);
  if (trail.objection !== null) return trail.objection;
  if (BigInt(trail.size) !== trailSize)
    return objection('TRAIL_REWOUND', `${trail.size} events are shown of ${trailSize}`);
  return trail.root === bytesToHex(trailRoot)
    ? null
    : objection('TRAIL_FORKED', 'the events do not lead to the root of the statement');
}

function totalsFault(
  said: SettlementTotals,
  due: SettlementTotals,
  before: SettlementTotals,
): Objection | null {
  const names = Object.keys(due) as (keyof SettlementTotals)[];
  const odd = names.find((name) => said[name] !== due[name]);
  if (odd !== undefined)
    return objection('TOTALS', `${odd} is ${due[odd]}, the statement says ${said[odd]}`);
  const fault = faultOf(due, before);
  return fault === null ? null : objection('TOTALS', fault);
}

function rootFault(
  { statement, workers, submitters }: EpochEvidence,
  { network }: CosignerTrust,
  sha256: Sha256,
): Objection | null {
  const wallet = (text: string) => decodeBase58(text) ?? new Uint8Array();
  try {
    const paid = new SettlementTree(
      workers.map((leaf: WorkerRow) =>
        sha256(workerLeafBytes(network, { ...leaf, payee: wallet(leaf.payee) })),
      ),
      sha256,
    );
    const paying = new SettlementTree(
      submitters.map((leaf: SubmitterRow) =>
        sha256(submitterLeafBytes(network, { ...leaf, submitter: wallet(leaf.submitter) })),
      ),
      sha256,
    );
    const isTheirs =
      areEqual(paid.root, statement.workerRoot) &&
      paid.depth === statement.workerDepth &&
      areEqual(paying.root, statement.submitterRoot) &&
      paying.depth === statement.submitterDepth;
    return isTheirs ? null : objection('ROOT', 'the leaves do not lead to the roots');
  } catch (error) {
    // An amount beyond 64 bits, or an address of another length.
    return objection('ROOT', error instanceof Error ? error.message : 'a leaf is none');
  }
}

/** What is known once the epoch has been found to be right. */
function after(
  { memory, evidence, refundedSince }: Judgement,
  trail: TrailKnowledge,
  { wallets, charged }: CheckedCharges,
  sha256: Sha256,
): CosignerMemory {
  const { statement, workers, submitters, charges } = evidence;
  const booked = new Map(trail.booked);
  const verdicts = new Map(trail.verdicts);
  const joined = new Set(trail.joined);
  for (const { attempt } of charges) {
    booked.delete(attempt);
    verdicts.delete(attempt);
    joined.add(attempt);
  }
  return {
    trail: { ...trail, booked, verdicts, joined },
    epoch: statement.epoch,
    sealedSlot: statement.sealedSlot,
    totals: statement.totals,
    workers,
    submitters,
    wallets,
    charged: new Map([...charged].filter(([job]) => trail.jobs.has(job))),
    promised: new Set([...refundedSince].filter((id) => booked.get(id)?.refunded === false)),
    signed: new Map([
      ...memory.signed,
      [String(statement.epoch), statementHash(statement, sha256)],
    ]),
  };
}

/** What a statement is remembered by. */
export const statementHash = (statement: RootStatement, sha256: Sha256): string =>
  bytesToHex(sha256(rootStatementBytes(statement)));

const areEqual = (a: Uint8Array, b: Uint8Array): boolean => bytesToHex(a) === bytesToHex(b);
