import { formatAmount } from '@tidemill/protocol';

/** Base units as tokens: `1.25`. */
export const tokens = (baseUnits: string): string => formatAmount(BigInt(baseUnits));

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 KiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), BYTE_UNITS.length - 1);
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** Milliseconds as people say them: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** How long ago a time was, or `-` for none. */
export function ago(time: string | null, nowMs: number): string {
  return time === null ? '-' : `${duration(Math.max(0, nowMs - Date.parse(time)))} ago`;
}

/** `600` thousandths as `0.6`. */
export const thousandths = (milli: number): string => String(milli / 1000);
