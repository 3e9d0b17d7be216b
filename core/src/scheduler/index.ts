export { expectedStart, type Measured } from './expected-start.js';
export { hasRoom, runtimeClassOf, suitable, type Removed } from './feasible.js';
export { place, type Placement, type Plan, type Unplaced } from './place.js';
export { PlanInputsWriter, type DigestedText, type KeptInputs } from './plan-inputs.js';
export { recordOf, replay, type DecisionRecord, type Replay } from './replay.js';
export { POLICY, scoreTerms, type Term } from './score.js';
export type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';
