import { type CosignerMemory } from '@tidemill/core/cosigner';
import { bytesToHex, Hex32, hexToBytes } from '@tidemill/protocol';
import { z } from 'zod';

const units = z.string().regex(/^\d+$/).transform(BigInt);
const hash = Hex32.transform(hexToBytes);
const count = z.int().min(0);
const payer = z.enum(['submitter', 'fees']);
/** A map is written as its entries. */
const mapOf = <Value>(value: z.ZodType<Value>) =>
  z.array(z.tuple([z.string(), value])).transform((entries) => new Map(entries));

const Totals = z.object({
  spent: units,
  earned: units,
  slashed: units,
  refunded: units,
  fees: units,
  feesGiven: units,
  dust: units,
});

const Memory = z.object({
  trail: z.object({
    size: count,
    chain: hash,
    frontier: z.array(hash),
    atMs: count,
    workers: mapOf(
      z.object({
        keys: z.array(z.string()),
        payout: z.string(),
        ordered: z.object({ payout: z.string(), atMs: count }).nullable(),
      }),
    ),
    jobs: mapOf(z.object({ account: z.string(), hold: units })),
    receipts: mapOf(z.string()),
    verdicts: mapOf(z.object({ payer, receipt: z.string().nullable() })),
    booked: mapOf(
      z.object({
        job: z.string(),
        worker: z.string(),
        price: units,
        fee: units,
        payer,
        refunded: z.boolean(),
      }),
    ),
    joined: z.array(z.string()).transform((ids) => new Set(ids)),
  }),
  epoch: units,
  sealedSlot: units,
  totals: Totals,
  workers: z.array(
    z.object({
      index: count,
      worker: z.string(),
      payee: z.string(),
      lifetimeEarned: units,
      lifetimeSlashed: units,
    }),
  ),
  submitters: z.array(
    z.object({
      index: count,
      submitter: z.string(),
      lifetimeSpent: units,
      lifetimeRefunded: units,
      held: units,
    }),
  ),
  wallets: mapOf(z.string()),
  charged: mapOf(units),
  promised: z.array(z.string()).transform((ids) => new Set(ids)),
  signed: mapOf(z.string()),
});

/** What a co-signer must not forget, as JSON: amounts as decimal text, hashes in hex, maps as entries. */
export function memoryText(memory: CosignerMemory): string {
  // The value as it is: a Buffer has turned itself into something else before it gets here.
  return JSON.stringify(memory, function (this: Record<string, unknown>, name: string): unknown {
    const value = this[name];
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Uint8Array) return bytesToHex(value);
    if (value instanceof Map || value instanceof Set) return [...(value as Iterable<unknown>)];
    return value;
  });
}

/** @throws ZodError or SyntaxError when the text is not what `memoryText` writes */
export const memoryFrom = (text: string): CosignerMemory => Memory.parse(JSON.parse(text));
