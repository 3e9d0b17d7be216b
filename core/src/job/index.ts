export {
  ATTEMPT_TRANSITIONS,
  isFinal,
  JOB_TRANSITIONS,
  mayFollow,
  TASK_TRANSITIONS,
} from './state.js';
export { isolatesAtLeast, needsOf, type Needs } from './needs.js';
export { copiesOf, verifyApplied, verifyPlanOf, type VerifyPlan } from './verify-plan.js';
