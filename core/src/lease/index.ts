export { advance, type Lease, type LeaseChange, type LeaseEvent } from './lease.js';
export { afterEnd, DEFAULT_RETRIES, type AfterEnd, type AttemptEnd } from './retry.js';
