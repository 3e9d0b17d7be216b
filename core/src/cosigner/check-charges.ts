import { bytesToHex, hexToBytes, type ProofCrypto, verifyReceipt } from '@tidemill/protocol';
import { feeOf } from '../ledger/price.js';
import type { ChargeRow, CosignerTrust, EpochEvidence } from './evidence.js';
import type { CosignerMemory, TrailKnowledge } from './knowledge.js';
import { firstObjection, objection, type Objection } from './objection.js';

/** What an epoch's charges come to beside their sums: who spends for which account, and what their jobs were charged. */
export interface CheckedCharges {
  readonly wallets: ReadonlyMap<string, string>;
  readonly charged: ReadonlyMap<string, bigint>;
}

/** Checks each charge against the trail, its receipt and its job; each stands once and for the first time. */
export function checkCharges(
  { charges }: EpochEvidence,
  memory: CosignerMemory,
  trail: TrailKnowledge,
  trust: CosignerTrust,
  crypto: ProofCrypto,
): CheckedCharges | Objection {
  const seen = new Set<string>();
  const wallets = new Map(memory.wallets);
  const accounts = new Map([...wallets].map(([account, wallet]) => [wallet, account]));
  const charged = new Map(memory.charged);
  const found = firstObjection(charges, (charge) => {
    if (seen.has(charge.attempt) || trail.joined.has(charge.attempt))
      return objection('CHARGE_TWICE', `${charge.attempt} is in an epoch already`);
    seen.add(charge.attempt);
    return (
      bookingFault(charge, trail) ??
      feeFault(charge, trust) ??
      receiptFault(charge, trail, trust, crypto) ??
      spend(charge, trail, { wallets, accounts, charged })
    );
  });
  return found ?? { wallets, charged };
}

function bookingFault(charge: ChargeRow, trail: TrailKnowledge): Objection | null {
  const booked = trail.booked.get(charge.attempt);
  if (booked === undefined)
    return objection('CHARGE_NOT_BOOKED', `the trail does not book ${charge.attempt}`);
  const odd = (['job', 'worker', 'price', 'fee', 'payer', 'refunded'] as const).find(
    (name) => booked[name] !== charge[name],
  );
  if (odd !== undefined)
    return objection(
      'CHARGE_CONTRADICTS',
      `${charge.attempt}: the trail says ${odd} ${booked[odd]}, shown is ${charge[odd]}`,
    );
  const verdict = trail.verdicts.get(charge.attempt);
  return verdict?.payer === charge.payer
    ? null
    : objection(
        'CHARGE_NOT_DUE',
        `the trail does not say that ${charge.payer} pays ${charge.attempt}`,
      );
}

function feeFault({ attempt, price, fee, payer }: ChargeRow, trust: CosignerTrust) {
  const most = payer === 'fees' ? 0n : feeOf(price, trust.maxFeeBps);
  return fee <= most
    ? null
    : objection('FEE', `${attempt}: a fee of ${fee} out of ${price} is more than ${most}`);
}

function receiptFault(
  { attempt, job, worker, receipt }: ChargeRow,
  trail: TrailKnowledge,
  { name }: CosignerTrust,
  crypto: ProofCrypto,
): Objection | null {
  const wrong = (why: string) => objection('RECEIPT', `${attempt}: ${why}`);
  if (receipt.attemptId !== attempt || receipt.workerId !== worker)
    return wrong('the receipt is shown for another');
  if (trail.workers.get(worker)?.keys.includes(receipt.publicKey) !== true)
    return wrong(`${receipt.publicKey} was never a key of ${worker}`);
  const checked = verifyReceipt(receipt, crypto);
  if (!checked.ok) return wrong(checked.detail);
  const { jobId, network } = checked.receipt;
  if (jobId !== job || network !== name) return wrong(`it is for ${jobId} of ${network}`);
  const named = trail.verdicts.get(attempt)?.receipt ?? null;
  const isNamed = named === null || bytesToHex(hexToBytes(named)) === receipt.hash;
  return isNamed ? null : wrong('the trail names another receipt');
}

/** Books a charge of a submitter to the hold of its job and to its wallet. */
function spend(
  { attempt, job, submitter, price, payer, refunded }: ChargeRow,
  trail: TrailKnowledge,
  { wallets, accounts, charged }: Ledger,
): Objection | null {
  const known = trail.jobs.get(job);
  if (known === undefined) return objection('HOLD', `the trail does not know ${job}`);
  if (payer === 'fees' || refunded) return null;
  if (submitter === null)
    return objection('SUBMITTER', `${attempt} is paid by a submitter that has no wallet`);
  const wallet = wallets.get(known.account) ?? submitter;
  const account = accounts.get(submitter) ?? known.account;
  if (wallet !== submitter || account !== known.account)
    return objection('SUBMITTER', `${known.account} spends for ${submitter}, before for ${wallet}`);
  wallets.set(account, wallet);
  accounts.set(wallet, account);
  const sum = (charged.get(job) ?? 0n) + price;
  charged.set(job, sum);
  return sum <= known.hold
    ? null
    : objection('HOLD', `${job} is charged ${sum} out of a hold of ${known.hold}`);
}

interface Ledger {
  readonly wallets: Map<string, string>;
  readonly accounts: Map<string, string>;
  readonly charged: Map<string, bigint>;
}
