import type { IsolationLevel } from '@tidemill/protocol';
import { expect, test } from 'vitest';
import type { Runner } from '../runtime/runner.js';
import { offeredRunners } from './runners.js';

const aRunner = (runtime: Runner['runtime'], isolation: IsolationLevel | null): Runner => ({
  runtime,
  offer: () =>
    Promise.resolve(
      isolation === null
        ? { ok: false, reason: 'not installed' }
        : {
            ok: true,
            offer: { runtime, runtimeClass: `${runtime}/1`, isolation, isolationDetail: '' },
          },
    ),
  run: () => Promise.reject(new Error('not run here')),
});

test('a runtime that cannot be offered is left out, and its reason told', async () => {
  const reasons: string[] = [];
  const runners = await offeredRunners(
    [aRunner('noop', 'sandbox'), aRunner('tfjs', null)],
    (runtime, reason) => reasons.push(`${runtime}: ${reason}`),
  );
  expect(runners.offers.map(({ runtime }) => runtime)).toEqual(['noop']);
  expect(runners.find('tfjs')).toBeUndefined();
  expect(reasons).toEqual(['tfjs: not installed']);
});

test('the isolation is that of the code of jobs, not that of the runtime which runs none', async () => {
  const both = await offeredRunners(
    [aRunner('noop', 'sandbox'), aRunner('tfjs', 'process')],
    () => undefined,
  );
  expect(both.isolation).toBe('process');
  expect((await offeredRunners([aRunner('noop', 'sandbox')], () => undefined)).isolation).toBe(
    'sandbox',
  );
});
