import { constants } from 'node:os';
import { TFJS_OUTPUTS, type TfjsTask } from '@tidemill/protocol';
import { type OutputFile, type RunFailure, failure } from '../runner.js';
import type { Ended } from '../sandbox/confined-process.js';
import type { ChildEvent } from './wire.js';

/** Everything the host knows of a child that has ended. */
export interface ChildStory {
  readonly ended: Ended;
  /** Whether it ever spoke; one that did not was not confined, or had no TensorFlow. */
  readonly isReady: boolean;
  readonly verdict: Extract<ChildEvent, { type: 'done' | 'failed' }> | null;
  /** What the host itself found wrong: a damaged input, a broken protocol, outputs beyond their limit. */
  readonly hostFault: RunFailure | null;
  readonly outputs: readonly OutputFile[];
  readonly errorTail: string;
  readonly limits: { readonly wallMs: number; readonly memoryMib: number };
}

/** Why the attempt failed, or null when it did all that the task asked for. What the host saw goes before what the child says. */
export function failureOf(task: TfjsTask, story: ChildStory): RunFailure | null {
  const { ended, hostFault, verdict } = story;
  if (hostFault !== null) return hostFault;
  switch (ended.killedFor) {
    case 'timeout':
      return failure('TIMEOUT', `not done after ${story.limits.wallMs} ms`);
    case 'memory':
      return failure('OUT_OF_MEMORY', `more than ${story.limits.memoryMib} MiB were used`);
    case 'processes':
      return failure('CRASHED', 'too many processes were started');
    default:
  }
  if (verdict?.type === 'failed') return failure(verdict.code, verdict.message);
  if (ended.exitCode !== 0 || ended.signal !== null) return crash(story);
  if (verdict === null) return failure('CHILD_PROTOCOL', 'the child ended without a word');
  const missing = expectedOutputs(task).filter(
    (name) => !story.outputs.some((output) => output.name === name),
  );
  return missing.length === 0
    ? null
    : failure('CHILD_PROTOCOL', `the child left no ${missing.join(', ')}`);
}

/** Names of the files a task must leave. */
export function expectedOutputs(task: TfjsTask): string[] {
  if (task.type === 'tfjs.infer')
    return [TFJS_OUTPUTS.predictions, ...(task.labels ? [TFJS_OUTPUTS.labels] : [])];
  const isLast = task.toStep === task.totalSteps;
  return [TFJS_OUTPUTS.checkpoint, ...(isLast ? [TFJS_OUTPUTS.model, TFJS_OUTPUTS.weights] : [])];
}

const MEMORY =
  /out of memory|bad_alloc|cannot allocate|allocation failed|failed to allocate|Committing semi space failed|pthread_create/i;

function crash({ ended, errorTail, isReady }: ChildStory): RunFailure {
  const number = signalNumber(ended);
  const tail = errorTail.trim().slice(-500);
  if (MEMORY.test(errorTail)) return failure('OUT_OF_MEMORY', `memory ran out: ${tail}`);
  if (number === constants.signals.SIGXCPU)
    return failure('TIMEOUT', 'the limit on CPU time was reached');
  if (number === constants.signals.SIGKILL)
    return failure('CHILD_LOST', 'the child was killed by something else on this machine');
  if (!isReady) return failure('SANDBOX_UNAVAILABLE', `the child did not start: ${tail}`);
  if (number !== null) return failure('CRASHED', `the child ended by signal ${number}: ${tail}`);
  return failure(`EXIT_${ended.exitCode ?? 1}`, `the child ended with ${ended.exitCode}: ${tail}`);
}

/** The signal a program ended by, seen directly or, through a wrapper, as an exit code of 128 and more. */
function signalNumber({ exitCode, signal }: Ended): number | null {
  if (signal !== null) return constants.signals[signal];
  return exitCode !== null && exitCode > 128 && exitCode < 128 + 65 ? exitCode - 128 : null;
}
