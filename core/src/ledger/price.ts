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

/** An attempt gets this long however little its hold pays for: a shorter one would be over before it began. */
export const MIN_RUN_MS = 1_000;
/** When so much of what a hold pays for has run, its submitter is told. */
export const HOLD_WARNING_PERCENT = 80n;

/**
 * How long an attempt may run: as long as its job allows, and an execution that the submitter pays for no longer than its part of the
 * hold (`cap`) lasts at the asks of its worker, so that nobody works for nothing and nothing above the hold is billed.
 */
export function attemptLimitMs(
  maxDurationMs: number,
  role: 'primary' | 'replica' | 'audit' | 'referee',
  cap: bigint,
  needs: Pick<Resources, 'gpuMilli' | 'cpuMilli'>,
  asks: Asks,
): number {
  if (role === 'audit' || role === 'referee') return maxDurationMs;
  const rate =
    needs.gpuMilli > 0
      ? BigInt(needs.gpuMilli) * asks.gpuHour
      : BigInt(needs.cpuMilli) * asks.cpuHour;
  if (rate === 0n) return maxDurationMs;
  const paidMs = (cap * MS_PER_MILLI_HOUR) / rate;
  if (paidMs >= BigInt(maxDurationMs)) return maxDurationMs;
  return Math.min(maxDurationMs, Math.max(MIN_RUN_MS, Number(paidMs)));
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
