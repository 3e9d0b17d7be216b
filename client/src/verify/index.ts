export { keepCheckpoint, keptCheckpoints } from './kept-checkpoints.js';
export { KeptDecision, replayDecision, type DecisionReplay } from './replay-decision.js';
export { downloadTrail } from './trail-download.js';
export { trailFile, TrailFileError } from './trail-file.js';
export { servedTrail, type TrailSource } from './trail-source.js';
export { verifyJob, verifySignedReceipt } from './verify-evidence.js';
export { checkContinues, cosign, WitnessRefusal } from './witness.js';
export { WitnessMemory } from './witness-memory.js';
export {
  placedEvent,
  verifyTrail,
  type TrailVerification,
  type VerifyTrailOptions,
} from './verify-trail.js';
