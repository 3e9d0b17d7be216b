import { describe, expect, test } from 'vitest';
import type { Digest } from '@tidemill/protocol';
import { failure } from '../runner.js';
import type { Ended } from '../sandbox/confined-process.js';
import { type ChildStory, expectedOutputs, failureOf } from './ending.js';
import { type Files, aTrainingTask } from './testing/tasks.js';

const files: Files = new Map();
const task = aTrainingTask(files);
const ended: Ended = {
  exitCode: 0,
  signal: null,
  killedFor: null,
  wallMs: 1,
  cpuMs: 1,
  maxRssMib: 1,
};
const outputs = expectedOutputs(task).map((name) => ({
  name,
  path: name,
  digest: 'sha256:0' as Digest,
  sizeBytes: 1,
}));
const story: ChildStory = {
  ended,
  isReady: true,
  verdict: { type: 'done', metrics: {} },
  hostFault: null,
  outputs,
  errorTail: '',
  limits: { wallMs: 1_000, memoryMib: 512 },
};

describe('how an attempt ended', () => {
  test('well, when the child says so, leaves with 0 and left everything', () => {
    expect(failureOf(task, story)).toBeNull();
  });

  test.each([
    [
      'its deadline',
      { ended: { ...ended, exitCode: null, signal: 'SIGKILL', killedFor: 'timeout' } },
      'TIMEOUT',
      'job',
    ],
    [
      'its memory, seen by the host',
      { ended: { ...ended, exitCode: null, signal: 'SIGKILL', killedFor: 'memory' } },
      'OUT_OF_MEMORY',
      'job',
    ],
    [
      'its memory, seen by V8',
      {
        ended: { ...ended, exitCode: 134 },
        errorTail:
          'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      },
      'OUT_OF_MEMORY',
      'job',
    ],
    [
      'its memory, seen by TensorFlow',
      {
        ended: { ...ended, exitCode: null, signal: 'SIGABRT' },
        errorTail: "terminate called after throwing an instance of 'std::bad_alloc'",
      },
      'OUT_OF_MEMORY',
      'job',
    ],
    ['its CPU time', { ended: { ...ended, exitCode: 128 + 24 } }, 'TIMEOUT', 'job'],
    ['a crash behind a wrapper', { ended: { ...ended, exitCode: 139 } }, 'CRASHED', 'job'],
    ['a crash', { ended: { ...ended, exitCode: null, signal: 'SIGSEGV' } }, 'CRASHED', 'job'],
    ['its own exit code', { ended: { ...ended, exitCode: 3 } }, 'EXIT_3', 'job'],
    ['somebody else', { ended: { ...ended, exitCode: 137 } }, 'CHILD_LOST', 'worker'],
    [
      'a sandbox that does not start',
      { ended: { ...ended, exitCode: 1 }, isReady: false, verdict: null },
      'SANDBOX_UNAVAILABLE',
      'worker',
    ],
    ['silence', { verdict: null }, 'CHILD_PROTOCOL', 'worker'],
    ['a missing output', { outputs: outputs.slice(1) }, 'CHILD_PROTOCOL', 'worker'],
    [
      'what it says itself',
      { verdict: { type: 'failed', code: 'DATA_INVALID', message: 'no' } },
      'DATA_INVALID',
      'job',
    ],
    [
      'what the host found',
      {
        hostFault: failure('INPUT_CORRUPT', 'no'),
        verdict: null,
        ended: { ...ended, killedFor: 'talk' },
      },
      'INPUT_CORRUPT',
      'worker',
    ],
  ] as [string, Partial<ChildStory>, string, string][])('by %s', (_, change, code, fault) => {
    expect(failureOf(task, { ...story, ...change })).toMatchObject({ code, fault });
  });
});

describe('what must be left', () => {
  test('is a checkpoint after every segment, and a model after the last', () => {
    expect(expectedOutputs({ ...task, toStep: 20 })).toEqual(['checkpoint.bin']);
    expect(expectedOutputs(task)).toEqual(['checkpoint.bin', 'model.json', 'weights.bin']);
  });
});
