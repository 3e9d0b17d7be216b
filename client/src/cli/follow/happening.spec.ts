import { expect, test } from 'vitest';
import type { JobEvent } from '../../sdk/types.js';
import { happening } from './happening.js';

test.each<[JobEvent['type'], Record<string, unknown>, string]>([
  ['accepted', { kind: 'training', hold: '1500000' }, 'accepted with 1.5 held'],
  ['leased', { worker: 'wrk_1', number: 1, attempt: 'att_1' }, 'leased attempt 1 on wrk_1'],
  ['running', { worker: 'wrk_1' }, 'running on wrk_1'],
  ['checkpoint', { step: 200, digest: 'sha256:00' }, 'checkpoint at step 200'],
  [
    'lost',
    { worker: 'wrk_1', state: 'lost', reason: 'DISCONNECTED' },
    'lost by wrk_1 (DISCONNECTED)',
  ],
  ['verdict', { verdict: 'accepted', reason: null }, 'verdict accepted'],
  ['hold-low', { attempt: 'att_1', limitMs: 90_000 }, 'hold-low'],
  ['booked', { price: '1234', fee: '61' }, 'booked 0.001234'],
  [
    'finished',
    { state: 'failed', code: 'JOB_FAILED', message: 'it said no' },
    'finished failed (it said no)',
  ],
  ['finished', { state: { unheard: 'of' } }, 'finished'],
])('%s %j reads as %j', (type, data, text) => {
  expect(happening({ type, data })).toEqual({ kind: 'note', text });
});

test('progress keeps its numbers, and progress of an unknown form is only named', () => {
  const data = { attempt: 'att_1', step: 3, totalSteps: 9, metrics: { loss: 0.5 } };
  const progress = { step: 3, totalSteps: 9, metrics: { loss: 0.5 } };
  expect(happening({ type: 'progress', data })).toEqual({ kind: 'progress', progress });
  expect(happening({ type: 'progress', data: { percent: 3 } })).toEqual({
    kind: 'note',
    text: 'progress',
  });
});
