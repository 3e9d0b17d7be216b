export { keepCheckpoint, keptCheckpoints } from './kept-checkpoints.js';
export { exportTrail, trailFile, TrailFileError } from './trail-file.js';
export { servedTrail, type TrailSource } from './trail-source.js';
export { verifyJob, verifySignedReceipt } from './verify-evidence.js';
export { verifyTrail, type TrailVerification, type VerifyTrailOptions } from './verify-trail.js';
