import { expect, test } from 'vitest';
import { JobId, makeId, UploadId, WorkerId } from './ids.js';

const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

test('the example of RFC 9562 is spelled in base32 behind the prefix', () => {
  // 017f22e2-79b0-7cc3-98c4-dc0c0c07398f
  const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
  expect(makeId('job', 0x017f22e279b0, random)).toBe('job_01fwhe4ydgfk1shh6w1g60eecf');
});

test.each([
  ['job', 'job_'],
  ['task', 'tsk_'],
  ['attempt', 'att_'],
  ['worker', 'wrk_'],
  ['account', 'acc_'],
  ['key', 'key_'],
  ['session', 'ses_'],
  ['decision', 'dec_'],
  ['upload', 'upl_'],
] as const)('the prefix of a %s is %s', (kind, prefix) => {
  expect(makeId(kind, 0, bytes).slice(0, 4)).toBe(prefix);
});

test.each([
  ['upper case', (id: string) => id.toUpperCase()],
  ['an o', (id: string) => `${id.slice(0, -1)}o`],
  ['an i', (id: string) => `${id.slice(0, -1)}i`],
  ['a u', (id: string) => `${id.slice(0, -1)}u`],
  ['an l', (id: string) => `${id.slice(0, -1)}l`],
  ['one sign more', (id: string) => `${id}0`],
  ['one sign less', (id: string) => id.slice(0, -1)],
  ['a line feed behind it', (id: string) => `${id}\n`],
  ['more than 128 bits', (id: string) => `job_8${id.slice(5)}`],
  ['no prefix', (id: string) => id.slice(4)],
])('an id with %s is refused', (_, change) => {
  const id = makeId('job', 1_700_000_000_000, bytes);
  expect(JobId.safeParse(id).success).toBe(true);
  expect(JobId.safeParse(change(id)).success).toBe(false);
});

test('a refusal says what is expected', () => {
  expect(WorkerId.safeParse('x').error?.issues[0]?.message).toBe('an id of the form wrk_…');
  expect(UploadId.safeParse('x').error?.issues[0]?.message).toBe('an id of the form upl_…');
});
