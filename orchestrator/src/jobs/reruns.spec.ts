import { expect, test } from 'vitest';
import type { JobDraft, TaskDraft } from './draft.js';
import { onlyLeft, type Left } from './reruns.service.js';

const segment = (index: number): TaskDraft => ({
  payload: `drafted ${index}`,
  inputs: [],
  dependsOn: index === 0 ? null : index - 1,
  audited: index === 2,
});
const shard = (index: number): TaskDraft => ({ ...segment(index), dependsOn: null });
const draft = (tasks: readonly TaskDraft[]) =>
  ({ tasks, hold: 1_000n, taskCap: 1_000n / BigInt(tasks.length) }) as unknown as JobDraft; // all that is looked at
const left = (...indices: number[]): ReadonlyMap<number, Left> =>
  new Map(indices.map((idx) => [idx, { payload: `as it was ${idx}`, inputs: '[]' }]));
const tasksOf = ({ tasks }: JobDraft) =>
  tasks.map(({ payload, dependsOn, audited }) => [payload, dependsOn, audited]);

test('a chain goes on behind its last accepted segment, from the checkpoint that its next one names', () => {
  const rest = onlyLeft(draft([0, 1, 2, 3].map(segment)), left(2, 3));
  expect(tasksOf(rest)).toEqual([
    ['as it was 2', null, true],
    ['drafted 3', 0, false],
  ]);
});

test('a chain of which nothing was accepted starts from its beginning', () => {
  const rest = onlyLeft(draft([0, 1].map(segment)), left(1, 0));
  expect(tasksOf(rest)).toEqual([
    ['drafted 0', null, false],
    ['drafted 1', 0, false],
  ]);
});

test('of shards only those without a result run, each with its part of the whole hold', () => {
  const rest = onlyLeft(draft([0, 1, 2, 3].map(shard)), left(1, 3));
  expect(tasksOf(rest).map(([payload]) => payload)).toEqual(['drafted 1', 'drafted 3']);
  expect(rest.taskCap).toBe(500n);
});
