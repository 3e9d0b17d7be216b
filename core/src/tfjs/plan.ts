import type {
  DataFacts,
  Digest,
  TableResult,
  TfjsInferenceTask,
  TfjsTrainingTask,
} from '@tidemill/protocol';
import type { ModelFacts } from './check-model.js';
import type { Refusal } from './refusal.js';
import type { Segment } from './segments.js';

/** What was found in the files a spec names. */
export interface TfjsFacts {
  readonly model: ModelFacts;
  /** What `surveyTable` said of the data, its faults included. */
  readonly data: TableResult<DataFacts>;
}

export interface AcceptOptions {
  /** False only for `verify: none`: then layers that no seed reaches are let through. */
  readonly mustRepeat: boolean;
  /** `checkpoint.every`; 60 s unless the job says otherwise. */
  readonly checkpointEveryMs: number;
  readonly maxStepsPerSegment: number;
  /** Measured time of a step, when there is one; otherwise it is estimated from the layers. */
  readonly stepMicros?: number | undefined;
  /** Inference: rows of one task. */
  readonly maxRowsPerPart: number;
}

export const DEFAULT_ACCEPT_OPTIONS: AcceptOptions = {
  mustRepeat: true,
  checkpointEveryMs: 60_000,
  maxStepsPerSegment: 2_000,
  maxRowsPerPart: 50_000,
};

interface PlanHead {
  /** To be stored as an artifact before the first task is offered: the tasks name it by this digest. */
  readonly topology: { readonly json: string; readonly digest: Digest };
  readonly parameters: number;
  /** Estimated time of one step or batch, microseconds. */
  readonly stepMicros: number;
}

export interface TrainingPlan extends PlanHead {
  readonly kind: 'training';
  readonly trainRows: number;
  readonly validationRows: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly segments: readonly Segment[];
  /** One per segment; `checkpoint` is null until the segment before has committed, then `startFrom` fills it in. */
  readonly tasks: readonly TfjsTrainingTask[];
}

export interface InferencePlan extends PlanHead {
  readonly kind: 'inference';
  readonly rows: number;
  readonly tasks: readonly TfjsInferenceTask[];
}

export type TfjsPlan = TrainingPlan | InferencePlan;
export type Acceptance<P extends TfjsPlan> = { readonly ok: true; readonly plan: P } | Refusal;
