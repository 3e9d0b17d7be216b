import type { Receipt } from '@tidemill/protocol';

/** How an attempt ended, as its receipt will say it. */
export interface AttemptResult {
  readonly runtimeClass: string;
  readonly outcome: Receipt['outcome'];
  readonly failure: Receipt['failure'];
  readonly outputs: Receipt['outputs'];
  readonly commitment: string | null;
  readonly metrics: Readonly<Record<string, string>>;
  readonly usage: { readonly cpuMs: number; readonly maxRssMib: number };
}
