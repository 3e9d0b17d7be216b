export type {
  ChainEvidence,
  ChainSubmitter,
  ChargeRow,
  CosignerTrust,
  EpochEvidence,
  Judgement,
} from './evidence.js';
export {
  type Booked,
  type CosignerMemory,
  type KnownJob,
  type KnownVerdict,
  type KnownWorker,
  NOTHING_KNOWN,
  type SubmitterRow,
  type TrailKnowledge,
  type WorkerRow,
} from './knowledge.js';
export type { Objection, ObjectionCode } from './objection.js';
export { recompute, type Recomputed, statementHash } from './recompute.js';
export { TrailReading } from './trail-reading.js';
