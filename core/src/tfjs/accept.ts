import type {
  Digest,
  TfjsInferenceSpec,
  TfjsTrainingSpec,
  TfjsTrainingTask,
} from '@tidemill/protocol';
import { planInference } from './accept-inference.js';
import { planTraining } from './accept-training.js';
import {
  type AcceptOptions,
  type Acceptance,
  DEFAULT_ACCEPT_OPTIONS,
  type InferencePlan,
  type TfjsFacts,
  type TfjsPlan,
  type TrainingPlan,
} from './plan.js';

/**
 * Decides whether a `tfjs` job can run and cuts it into tasks, before any TensorFlow sees it. The same spec, facts and options
 * give the same plan, byte for byte. A refusal names its place in the `tfjs` block.
 */
export function acceptTfjs(
  spec: TfjsTrainingSpec,
  facts: TfjsFacts,
  options?: Partial<AcceptOptions>,
): Acceptance<TrainingPlan>;
export function acceptTfjs(
  spec: TfjsInferenceSpec,
  facts: TfjsFacts,
  options?: Partial<AcceptOptions>,
): Acceptance<InferencePlan>;
export function acceptTfjs(
  spec: TfjsTrainingSpec | TfjsInferenceSpec,
  facts: TfjsFacts,
  options?: Partial<AcceptOptions>,
): Acceptance<TfjsPlan>;
export function acceptTfjs(
  spec: TfjsTrainingSpec | TfjsInferenceSpec,
  facts: TfjsFacts,
  options: Partial<AcceptOptions> = {},
): Acceptance<TfjsPlan> {
  const settled = { ...DEFAULT_ACCEPT_OPTIONS, ...options };
  return 'loss' in spec ? planTraining(spec, facts, settled) : planInference(spec, facts, settled);
}

/** The task of a segment with the commitment it starts from. */
export function startFrom(task: TfjsTrainingTask, checkpoint: Digest): TfjsTrainingTask {
  return { ...task, checkpoint };
}
