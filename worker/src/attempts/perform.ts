import { TFJS_OUTPUTS, type Digest, type LeaseRef, type TaskPayload } from '@tidemill/protocol';
import { ArtifactError, type ArtifactStore, type PinnedFile } from '../artifacts/store.js';
import type { Runner, RunOutcome, RunRequest } from '../runtime/runner.js';
import type { AttemptPhase } from '../status/snapshot.js';
import type { Attempt } from './attempt.js';
import type { LogStream } from './log-buffer.js';
import type { ProgressNote } from './outflow.js';
import type { AttemptResult } from './result.js';
import type { Runners } from './runners.js';
import type { WorkFolders } from './work-folders.js';

const MIB = 1024 * 1024;
/** For tasks that name no need: enough for a small model, and a bound. */
const DEFAULT_MEMORY_MIB = 2_048;
const DEFAULT_OUTPUT_MIB = 1_024;
/** What anybody would read of one attempt's log. */
const LOG_BYTES = 4 * MIB;

export interface PerformPorts {
  readonly runners: Runners;
  readonly artifacts: ArtifactStore;
  readonly folders: WorkFolders;
}

export interface CheckpointNote {
  readonly step: number;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Who is told how an attempt gets on. */
export interface Watch {
  phase(phase: AttemptPhase): void;
  progress(lease: LeaseRef, note: ProgressNote): void;
  log(lease: LeaseRef, stream: LogStream, text: string): void;
  /** A checkpoint is stored: another worker could go on from it. */
  checkpoint(lease: LeaseRef, note: CheckpointNote): void;
}

/**
 * Brings an attempt's inputs, runs it, and stores what it made. Failures of the job, of the machine and of transfers are results.
 * Rejects with the signal's reason when that is aborted; nothing runs any more then.
 */
export async function perform(
  attempt: Attempt,
  ports: PerformPorts,
  watch: Watch,
): Promise<AttemptResult> {
  const found = ports.runners.find(attempt.payload.runtime);
  if (found === undefined)
    return failed('none', { code: 'RUNTIME_UNAVAILABLE', message: '', fault: 'worker' });
  try {
    // Nothing of a noop attempt touches the disk: thousands a second must not cost thousands of folders.
    if (attempt.payload.runtime === 'noop') {
      return await resultOf(
        await run(attempt, found.runner, '', new Map(), watch),
        attempt,
        ports,
        watch,
      );
    }
    return await performWithFiles(attempt, found.runner, ports, watch);
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    return failed(found.offer.runtimeClass, {
      code: error.code,
      message: error.message,
      fault: 'worker',
    });
  }
}

async function performWithFiles(
  attempt: Attempt,
  runner: Runner,
  ports: PerformPorts,
  watch: Watch,
): Promise<AttemptResult> {
  const { signal } = attempt.controller;
  const pinned = new Map<Digest, PinnedFile>();
  const folder = await ports.folders.make(attempt.lease.attemptId);
  try {
    watch.phase('fetching');
    for (const input of attempt.offer.inputs) {
      if (!pinned.has(input.digest))
        pinned.set(input.digest, await ports.artifacts.fetch(input, signal));
    }
    const inputs = new Map([...pinned].map(([digest, { path }]) => [digest, path]));
    const outcome = await run(attempt, runner, folder.path, inputs, watch);
    return await resultOf(outcome, attempt, ports, watch);
  } finally {
    for (const file of pinned.values()) file.release();
    await folder.remove();
  }
}

function run(
  attempt: Attempt,
  runner: Runner,
  workDir: string,
  inputs: ReadonlyMap<Digest, string>,
  watch: Watch,
): Promise<RunOutcome> {
  watch.phase('running');
  const { lease, payload } = attempt;
  const events = {
    onProgress: (note: ProgressNote) => watch.progress(lease, note),
    onLog: (stream: LogStream, line: string) => watch.log(lease, stream, line),
  };
  return runner.run(
    { workDir, payload, inputs, limits: limitsOf(attempt) },
    events,
    attempt.controller.signal,
  );
}

function limitsOf({ offer, meter }: Attempt): RunRequest['limits'] {
  return {
    wallMs: Math.max(1, offer.maxDurationMs - meter.elapsedMs()),
    memoryMib: offer.needs.memoryMib || DEFAULT_MEMORY_MIB,
    outputBytes: (offer.needs.diskMib || DEFAULT_OUTPUT_MIB) * MIB,
    logBytes: LOG_BYTES,
  };
}

async function resultOf(
  outcome: RunOutcome,
  attempt: Attempt,
  { artifacts }: PerformPorts,
  watch: Watch,
): Promise<AttemptResult> {
  const { signal } = attempt.controller;
  signal.throwIfAborted();
  if (outcome.state === 'stopped') throw new Error('the runtime stopped without being told to');
  if (outcome.state === 'failed')
    return failed(outcome.runtimeClass, outcome.failure, outcome.usage);

  watch.phase('uploading');
  for (const output of outcome.outputs) {
    await artifacts.upload(output, signal);
    const step = stepOf(attempt.payload);
    if (output.name === TFJS_OUTPUTS.checkpoint && step !== null) {
      watch.checkpoint(attempt.lease, { step, digest: output.digest, sizeBytes: output.sizeBytes });
    }
  }
  return {
    runtimeClass: outcome.runtimeClass,
    outcome: 'succeeded',
    failure: null,
    outputs: outcome.outputs.map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes })),
    commitment: outcome.commitment,
    metrics: outcome.metrics,
    usage: outcome.usage,
  };
}

/** The step a training segment ends with: that is where its checkpoint stands. */
function stepOf(payload: TaskPayload): number | null {
  return payload.runtime === 'tfjs' && payload.tfjs.type === 'tfjs.train'
    ? payload.tfjs.toStep
    : null;
}

/** The result of an attempt that made nothing. */
export function failed(
  runtimeClass: string,
  failure: NonNullable<AttemptResult['failure']>,
  usage: AttemptResult['usage'] = { cpuMs: 0, maxRssMib: 0 },
): AttemptResult {
  return {
    runtimeClass,
    outcome: 'failed',
    failure: { code: failure.code, message: failure.message, fault: failure.fault },
    outputs: [],
    commitment: null,
    metrics: {},
    usage,
  };
}
