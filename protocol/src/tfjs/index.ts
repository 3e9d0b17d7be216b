export {
  CHECKPOINT_FAULTS,
  CHECKPOINT_TAG,
  decodeCheckpoint,
  encodeCheckpoint,
  type CanonicalTensor,
  type Checkpoint,
  type CheckpointFaultCode,
  type CheckpointResult,
} from './checkpoint.js';
export {
  LOSSES,
  METRICS,
  OPTIMIZERS,
  isClassLoss,
  type Loss,
  type Metric,
  type OptimizerName,
} from './closed-lists.js';
export { commitment, textDigest } from './commitment.js';
export {
  ACCEPT_BELOW,
  REJECT_ABOVE,
  compareCheckpoints,
  type Comparison,
  type TensorDistance,
} from './compare.js';
export { decodeCsv, inspectCsv, type CsvTable } from './csv.js';
export type { CsvShape } from './csv-scan.js';
export { Decimal, toDecimal } from './decimal.js';
export * from './limits.js';
export {
  NPY_DTYPES,
  decodeNpy,
  inspectNpy,
  type NpyArray,
  type NpyDtype,
  type NpyInfo,
} from './npy.js';
export { encodeNpy } from './npy-write.js';
export { epochOrder, shuffleInPlace, splitRows, validationRows, type Split } from './order.js';
export { dropoutSeed, initializerSeed, seedBytes, seedNumber, type SeedPurpose } from './seeds.js';
export {
  TfjsFeatures,
  TfjsInferenceSpec,
  TfjsInput,
  TfjsLabel,
  TfjsModel,
  TfjsOptimizer,
  TfjsScale,
  TfjsSpec,
  TfjsTrainingSpec,
} from './spec.js';
export { surveyTable, type DataFacts, type MatrixFacts, type Place } from './survey.js';
export { readTable, type Matrix, type Table, type TableFiles } from './table.js';
export {
  TABLE_FAULTS,
  type TableFault,
  type TableFaultCode,
  type TableResult,
} from './table-fault.js';
export {
  DataCursor,
  MetricValues,
  OutputArtifact,
  RuntimeClass,
  TFJS_OUTPUTS,
  TaskOptimizer,
  TfjsInferenceTask,
  TfjsResult,
  TfjsTask,
  TfjsTrainingTask,
} from './task.js';
