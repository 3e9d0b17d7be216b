/** An epoch is what is paid together: open while charges may still join it, final once its root can be claimed against. */
export const EPOCH_STATES = ['open', 'sealed', 'posted', 'final', 'voided'] as const;
export type EpochState = (typeof EPOCH_STATES)[number];

/**
 * Which state may follow which. A sealed epoch is never opened again: its leaves have been signed. Nor is it given up before it was
 * posted, since the program takes its number next and no other. A voided number is never used again; what it held is in every later
 * epoch, since leaves are lifetime totals (G9).
 */
export const EPOCH_TRANSITIONS: Readonly<Record<EpochState, readonly EpochState[]>> = {
  open: ['sealed'],
  sealed: ['posted'],
  posted: ['final', 'voided'],
  final: [],
  voided: [],
};
