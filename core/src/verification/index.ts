export { auditedSegments, isAudited } from './sample.js';
export { judge, type Execution, type Judgement } from './verdict.js';
