export { EPOCH_STATES, EPOCH_TRANSITIONS, type EpochState } from './epoch.js';
export {
  type ChainTotals,
  claimable,
  isSolvent,
  owedBy,
  vaultOf,
  withdrawable,
} from './solvency.js';
export { counted, faultOf, NO_TOTALS, type SettledCharge, slashed, sumOf } from './totals.js';
