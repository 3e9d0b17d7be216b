import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ownFailure } from './own-failure.js';

const failing = (message: string): string =>
  JSON.stringify({
    network: 'testnet',
    audience: 'tidemill.test',
    workerId: 'wrk_01890a5d000000000000000001',
    jobId: 'job_01890a5d000000000000000001',
    taskId: 'tsk_01890a5d000000000000000001',
    attemptId: 'att_01890a5d000000000000000001',
    fence: 1,
    taskDigest: `sha256:${'0'.repeat(64)}`,
    runtimeClass: 'noop/1',
    outcome: 'failed',
    failure: { code: 'TOLD_TO_FAIL', message, fault: 'job' },
    outputs: [],
    commitment: null,
    metrics: {},
    usage: { billableMs: 0, cpuMs: 0, maxRssMib: 1 },
    issuedAtMs: 1,
    expiresAtMs: 2,
  });

test('what the code said is shown as it was said', () => {
  expect(ownFailure(failing('no such column: „größe“ 👩‍🔬'.replace('\u200d', '')))).toBe(
    'no such column: „größe“ 👩🔬',
  );
});

test.each([
  ['two\nlines\r\n', 'two\\u000alines'],
  ['\u001b[2Jgone', '\\u001b[2Jgone'],
  ['bell\u0007 and nul\u0000 and \u009b', 'bell\\u0007 and nul\\u0000 and \\u009b'],
  ['left \u202eto right', 'left \\u202eto right'],
  ['\u2028line', 'line'],
  ['a\u2028b', 'a\\u2028b'],
  ['tag \u{e0041}', 'tag \\ue0041'],
])('%j cannot steer a terminal', (said, shown) => {
  expect(ownFailure(failing(said))).toBe(shown);
});

test('a long message is cut between characters and says so', () => {
  expect(ownFailure(failing('😀'.repeat(600)))).toBe(`${'😀'.repeat(499)}…`);
  expect(ownFailure(failing('x'.repeat(500)))).toBe('x'.repeat(500));
});

test('silence is said to be one', () => {
  for (const text of [failing(''), failing(' \n '), 'not a receipt', '{}'])
    expect(ownFailure(text)).toBe('The job’s own code failed; see its logs.');
});

test('whatever was said, the result is bounded and printable', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 900 }), (units) => {
      const shown = ownFailure(failing(String.fromCharCode(...units)));
      expect([...shown].length).toBeLessThanOrEqual(500 * 8);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    }),
  );
});
