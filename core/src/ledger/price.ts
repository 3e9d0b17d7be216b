import { MAX_MONEY, type Resources } from '@tidemill/protocol';

const MS_PER_MILLI_HOUR = 3_600_000n * 1000n;
const BPS = 10_000n;

/** Asks of a worker, base units an hour, as frozen in the lease. */
export interface Asks {
  readonly gpuHour: bigint;
  readonly cpuHour: bigint;
}

/** What an attempt costs, in base units: its GPU time, or its CPU time when it has no GPU. Rounded down, at most `cap`. */
export function priceOf(
  needs: Pick<Resources, 'gpuMilli' | 'cpuMilli'>,
  asks: Asks,
  billableMs: number,
  cap: bigint,
): bigint {
  const [milli, ask] =
    needs.gpuMilli > 0 ? [needs.gpuMilli, asks.gpuHour] : [needs.cpuMilli, asks.cpuHour];
  const price = (BigInt(milli) * ask * BigInt(billableMs)) / MS_PER_MILLI_HOUR;
  return price < cap ? price : cap;
}

/** The time that is billed: the worker's own meter, but never more than the orchestrator saw, nor than was asked for. */
export function billableMs(meterMs: number, observedMs: number, maxDurationMs: number): number {
  return Math.max(0, Math.min(meterMs, Math.floor(observedMs), maxDurationMs));
}

/** The network's part of a price, rounded down; the worker gets the rest. */
export function feeOf(price: bigint, feeBps: number): bigint {
  return (price * BigInt(feeBps)) / BPS;
}

/**
 * What is set aside when a job is accepted, unless the submitter gives `maxCost`: the dearest it can become. Rounded up, and at most
 * what a spec may name as its cost, so that the hold of any job fits the ledger.
 */
export function holdOf(
  needs: Pick<Resources, 'gpuMilli' | 'cpuMilli'>,
  maxAsk: bigint,
  maxDurationMs: number,
  executions: number,
): bigint {
  const milli = BigInt(needs.gpuMilli > 0 ? needs.gpuMilli : needs.cpuMilli);
  const each =
    (milli * maxAsk * BigInt(maxDurationMs) + MS_PER_MILLI_HOUR - 1n) / MS_PER_MILLI_HOUR;
  const all = each * BigInt(executions);
  return all < MAX_MONEY ? all : MAX_MONEY;
}

/** 1.5 times the median ask of the workers that could run the task, or null when there is none. The lower of two middle asks counts. */
export function defaultMaxAsk(asks: readonly bigint[]): bigint | null {
  const sorted = [...asks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  return median === undefined ? null : (median * 3n) / 2n;
}
