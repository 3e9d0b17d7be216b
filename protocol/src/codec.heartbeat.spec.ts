import { expect, test } from 'vitest';
import { decodeFromWorker } from './codec.js';

const session = 'ses_01m86aaaaaaaaaaaaaaaaaaaaa';
const beat = { type: 'heartbeat', session, seq: 3, attempts: [] };
const spellings = [
  `{"type":"heartbeat","session":"${session}","seq":3,"attempts":[]}`,
  `{"type":"heartbeat","attempts":[],"session":"${session}","seq":3}`,
  ` {"seq":3, "session":"${session}","attempts":[ ],"type":"heartbeat"}`,
];

test.each(spellings)('an idle heartbeat is the same message in every spelling: %s', (frame) => {
  expect(decodeFromWorker(frame)).toEqual({ ok: true, message: beat });
});

test.each([
  [
    'a member twice',
    `{"type":"heartbeat","attempts":[],"session":"${session}","seq":3,"attempts":[]}`,
  ],
  ['a member missing', `{"type":"heartbeat","session":"${session}","seq":3}`],
  ['a number that JSON does not know', spellings[0]?.replace('3', '03') ?? ''],
  ['a session that is none', spellings[0]?.replace('ses_0', 'ses_9') ?? ''],
  ['more behind it', `${spellings[0]}x`],
])('an idle heartbeat with %s is refused', (_, frame) => {
  expect(decodeFromWorker(frame)).toMatchObject({ ok: false });
});
