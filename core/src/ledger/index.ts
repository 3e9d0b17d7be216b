export {
  charge,
  check,
  earn,
  grant,
  hold,
  NETWORK,
  refund,
  release,
  type Bucket,
  type EarningBucket,
  type Entry,
  type Posting,
} from './entries.js';
export { billableMs, defaultMaxAsk, feeOf, holdOf, priceOf, type Asks } from './price.js';
