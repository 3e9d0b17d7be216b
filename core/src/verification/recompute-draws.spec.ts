import { bytesToHex, utf8ToBytes } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import { firstWrongDraw, type DrawSaid } from './recompute-draws.js';
import { isAudited } from './sample.js';

const RATE = 100_000;
const keyed = (key: string) => (subject: string) => nodeSha256(utf8ToBytes(`${key} ${subject}`));
const draw = keyed('the key');

const said: readonly DrawSaid[] = Array.from({ length: 1_000 }, (_, i) => {
  const receipt = bytesToHex(nodeSha256(utf8ToBytes(`receipt ${i}`)));
  return { receipt, ratePpm: RATE, drawn: isAudited(draw(receipt), RATE) };
});

test('draws that were made with the key are found as they were', () => {
  expect(firstWrongDraw(said, draw)).toBeNull();
  expect(said.filter(({ drawn }) => drawn).length).toBeGreaterThan(50);
});

test('of a thousand that were spared or picked by hand each is found at its place (G14, T18)', () => {
  for (const [place, one] of said.entries()) {
    expect(firstWrongDraw(said.with(place, { ...one, drawn: !one.drawn }), draw)).toBe(place);
  }
});

test('draws with another key, and a rate changed afterwards, do not pass', () => {
  expect(firstWrongDraw(said, keyed('another key'))).not.toBeNull();
  const raised = said.map((one) => ({ ...one, ratePpm: 2 * RATE }));
  expect(firstWrongDraw(raised, draw)).not.toBeNull();
});
