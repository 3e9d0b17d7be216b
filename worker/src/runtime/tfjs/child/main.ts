import { getPriority, setPriority } from 'node:os';
import { TFJS_OUTPUTS, encodeCheckpoint, toDecimal } from '@tidemill/protocol';
import { type Inputs, inputOf } from './data.js';
import { type Engine, loadEngine } from './engine.js';
import { asChildFault } from './fault.js';
import { inferRows } from './infer.js';
import { modelFiles } from './model-files.js';
import { emit, emitOutput, readRequest } from './pipes.js';
import { trainSegment } from './train.js';
import type { ChildRequest } from '../wire.js';

/** Five times a second: as often as anybody watches. */
const PROGRESS_MS = 200;
/** Behind everything else on the machine, but ahead of what is idle on purpose. */
const NICENESS = 10;

/** Runs one request that comes through the pipes, and says how it ended. Exit code 0 means that it was able to say so. */
async function main(): Promise<void> {
  // A worker that was started behind everything else stays there: only root may take that back.
  if (getPriority() < NICENESS) setPriority(NICENESS);
  try {
    const { request, inputs } = readRequest();
    const engine = await loadEngine(request.backend);
    emit({ type: 'ready', backend: engine.backend, runtimeClass: engine.runtimeClass });
    if (request.type === 'run') await run(engine, request, inputs);
    else emit({ type: 'done', metrics: {} });
  } catch (error) {
    const { code, message } = asChildFault(error, 'the task cannot be run');
    emit({ type: 'failed', code, message: message.slice(0, 2_000) });
  }
}

async function run(
  engine: Engine,
  { task }: Extract<ChildRequest, { type: 'run' }>,
  inputs: Inputs,
): Promise<void> {
  const report = progressReporter();
  if (task.type === 'tfjs.infer') {
    const rows = task.toRow - task.fromRow;
    const { predictions, labels } = await inferRows(engine, task, inputs, (done) =>
      report(done, rows, () => ({})),
    );
    emitOutput(TFJS_OUTPUTS.predictions, predictions);
    if (labels !== null) emitOutput(TFJS_OUTPUTS.labels, labels);
    emit({ type: 'done', metrics: {} });
    return;
  }

  const { checkpoint, built } = await trainSegment(engine, task, inputs, (step, metrics) =>
    report(step, task.totalSteps, metrics),
  );
  emitOutput(TFJS_OUTPUTS.checkpoint, encodeCheckpoint(checkpoint));
  if (task.toStep === task.totalSteps) {
    const files = modelFiles(new TextDecoder().decode(inputOf(inputs, task.model.topology)), built);
    emitOutput(TFJS_OUTPUTS.model, files.model);
    emitOutput(TFJS_OUTPUTS.weights, files.weights);
  }
  emit({ type: 'done', metrics: checkpoint.metrics });
}

/** Lets a report through when enough time has passed; the work itself never looks at a clock. */
function progressReporter() {
  let lastMs = -Infinity;
  return (step: number, totalSteps: number, metrics: () => Readonly<Record<string, number>>) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < PROGRESS_MS) return;
    lastMs = nowMs;
    const texts = Object.entries(metrics()).map(
      ([name, value]) => [name, toDecimal(value) ?? '0'] as const,
    );
    emit({ type: 'progress', step, totalSteps, metrics: Object.fromEntries(texts) });
  };
}

await main();
