import { jobFilter, type JobId } from '@tidemill/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { JobViews } from './job-views.js';

let host: StageHost;
let mine: StageSubmitter;
let other: StageSubmitter;
const ids: Record<string, JobId> = {};

beforeAll(async () => {
  host = await startNetwork();
  mine = await StageSubmitter.with(host);
  other = await StageSubmitter.with(host);
  const submit = async (name: string, labels?: Record<string, string>, by = mine) => {
    ids[name] = await by.submit(
      noopJob('nobody', { name, ...(labels === undefined ? {} : { labels }) }),
    );
  };
  await submit('eval-one', { team: 'vision', stage: 'eval' });
  await submit('train-one', { team: 'vision' });
  await submit('train-two', { team: 'speech' });
  await submit('plain');
  await submit('train-theirs', { team: 'vision' }, other);
  await mine.cancel(ids['plain'] ?? ('' as JobId));
});
afterAll(() => host.stop());

const list = (query: object) => host.app.get(JobViews).list(mine.accountId, jobFilter.parse(query));
const names = async (query: object) => (await list(query)).items.map(({ name }) => name);

test('a job keeps its labels, and one without has none', async () => {
  const { items } = await list({ name: 'eval' });
  expect(items[0]?.labels).toEqual({ team: 'vision', stage: 'eval' });
  expect((await list({ name: 'plain' })).items[0]?.labels).toEqual({});
});

test.each([
  [{}, ['plain', 'train-two', 'train-one', 'eval-one']],
  [{ label: 'team=vision' }, ['train-one', 'eval-one']],
  [{ label: ['team=vision', 'stage=eval'] }, ['eval-one']],
  [{ label: 'team=nobody' }, []],
  [{ name: 'train' }, ['train-two', 'train-one']],
  [{ name: 'train', label: 'team=speech' }, ['train-two']],
  [{ state: 'cancelled' }, ['plain']],
  [
    { state: ['queued', 'cancelled'], kind: 'batch' },
    ['plain', 'train-two', 'train-one', 'eval-one'],
  ],
  [{ kind: ['training', 'inference'] }, []],
  [{ createdAfter: '2999-01-01T00:00:00Z' }, []],
  [
    { createdBefore: '2999-01-01T00:00:00Z', createdAfter: '2000-01-01T00:00:00Z' },
    ['plain', 'train-two', 'train-one', 'eval-one'],
  ],
])('%j lists %j, newest first and never a job of another account', async (query, expected) => {
  expect(await names(query)).toEqual(expected);
});

test('pages of a filtered list join without gap or repetition', async () => {
  const first = await list({ name: 'train', limit: 1 });
  const second = await list({ name: 'train', limit: 1, cursor: first.nextCursor });
  expect([first, second].flatMap(({ items }) => items.map(({ name }) => name))).toEqual([
    'train-two',
    'train-one',
  ]);
  expect(second.nextCursor).toBeNull();
});

test('ranges of time are half-open', async () => {
  const { items } = await list({ name: 'train-one' });
  const at = items[0]?.createdAt ?? '';
  const next = new Date(Date.parse(at) + 1).toISOString();
  expect(await names({ name: 'train-one', createdAfter: at, createdBefore: next })).toEqual([
    'train-one',
  ]);
  expect(await names({ name: 'train-one', createdBefore: at })).toEqual([]);
});
