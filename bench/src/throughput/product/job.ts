import type { JobSpec } from '@tidemill/protocol';

/** The job that is measured: it does nothing, is not verified, and costs something. */
export const NOOP_JOB: JobSpec = {
  kind: 'batch',
  runtime: { noop: {} },
  limits: { maxCost: '0.01', maxDuration: '1m' },
  verify: 'none',
};

/** Credit, in tokens, that covers the holds of so many jobs at once. */
export const creditFor = (jobs: number): number => Math.ceil(jobs * 0.01) + 1;
