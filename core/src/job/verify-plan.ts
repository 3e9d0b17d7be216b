import type { JobSpec } from '@tidemill/protocol';

/** How the results of a job's tasks are checked. */
export type VerifyPlan =
  | { readonly method: 'none' }
  | { readonly method: 'replicate'; readonly copies: number }
  | { readonly method: 'audit'; readonly ratePpm: number };

/** The plan of a spec; `standard` unless it says otherwise. */
export function verifyPlanOf(spec: JobSpec, auditRatePpm: number): VerifyPlan {
  const asked = spec.verify ?? 'standard';
  const name = typeof asked === 'string' ? asked : 'class' in asked ? asked.class : null;
  if (name === 'none') return { method: 'none' };
  if (name === 'standard') return { method: 'audit', ratePpm: auditRatePpm };
  return {
    method: 'replicate',
    copies: typeof asked === 'object' && 'replicate' in asked ? asked.replicate : 2,
  };
}

/** The plan as the submitter is told: `none`, `replicate:2` or `audit:q=0.10`. */
export function verifyApplied(plan: VerifyPlan): string {
  switch (plan.method) {
    case 'none':
      return 'none';
    case 'replicate':
      return `replicate:${plan.copies}`;
    case 'audit':
      // Exactly, with two decimals at least: rounding 0.5 % would say that twice as much is checked.
      return `audit:q=${(plan.ratePpm / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')}`;
  }
}

/** How many independent executions every task has from the start. */
export function copiesOf(plan: VerifyPlan): number {
  return plan.method === 'replicate' ? plan.copies : 1;
}
