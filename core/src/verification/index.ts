export { firstWrongDraw, type DrawSaid } from './recompute-draws.js';
export { auditedSegments, isAudited } from './sample.js';
export { judge, type Execution, type Judgement } from './verdict.js';
