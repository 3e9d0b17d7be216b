export { hasRoom, runtimeClassOf, suitable, type Removed } from './feasible.js';
export { place, type Placement, type Plan, type Unplaced } from './place.js';
export { POLICY, scoreTerms, type Term } from './score.js';
export type { OpenWorker, QueuedTask, Snapshot } from './snapshot.js';
