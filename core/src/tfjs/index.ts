export { acceptTfjs, startFrom } from './accept.js';
export type { ModelFacts } from './check-model.js';
export {
  DEFAULT_ACCEPT_OPTIONS,
  type AcceptOptions,
  type Acceptance,
  type InferencePlan,
  type TfjsFacts,
  type TfjsPlan,
  type TrainingPlan,
} from './plan.js';
export {
  REFUSAL_REASONS,
  type Path,
  type Refusal,
  type RefusalCode,
  type RefusalReason,
} from './refusal.js';
export { cutSegments, estimateStepMicros, stepsPerSegment, type Segment } from './segments.js';
