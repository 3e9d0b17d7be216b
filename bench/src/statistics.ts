/** The middle value, or the mean of the two middle ones. @throws RangeError for no values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share `q` (0 to 1) of the values lies, between neighbours in proportion. @throws RangeError for no values */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new RangeError('a quantile of no values');
  return low + (high - low) * (at - Math.floor(at));
}

/** Cut to so many significant digits, for people and for JSON that people read. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}
