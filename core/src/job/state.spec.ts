import { ATTEMPT_STATES, JOB_STATES, TASK_STATES } from '@tidemill/protocol';
import { describe, expect, test } from 'vitest';
import { EPOCH_STATES, EPOCH_TRANSITIONS } from '../settlement/index.js';
import {
  ATTEMPT_TRANSITIONS,
  isFinal,
  JOB_TRANSITIONS,
  mayFollow,
  TASK_TRANSITIONS,
} from './state.js';

const tables: readonly (readonly [
  string,
  Readonly<Record<string, readonly string[]>>,
  readonly string[],
  string,
  readonly string[],
])[] = [
  ['job', JOB_TRANSITIONS, JOB_STATES, 'queued', ['succeeded', 'failed', 'cancelled', 'expired']],
  ['task', TASK_TRANSITIONS, TASK_STATES, 'queued', ['failed', 'cancelled']],
  [
    'attempt',
    ATTEMPT_TRANSITIONS,
    ATTEMPT_STATES,
    'leased',
    ['accepted', 'rejected', 'failed', 'cancelled', 'preempted', 'stale'],
  ],
  ['epoch', EPOCH_TRANSITIONS, EPOCH_STATES, 'open', ['final', 'voided']],
];

/** All states that can come after one, in any number of steps. */
function reachable(table: Readonly<Record<string, readonly string[]>>, from: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [from];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const next of table[state] ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen;
}

describe.each(tables)('the states of a %s', (_, table, states, first, final) => {
  test('are those of the protocol, each once', () => {
    expect(Object.keys(table).sort()).toEqual([...states].sort());
    for (const next of Object.values(table)) {
      expect(new Set(next).size).toBe(next.length);
      for (const state of next) expect(states).toContain(state);
    }
  });

  test('end in the final ones, which nothing follows', () => {
    expect(states.filter((state) => isFinal(table, state)).sort()).toEqual([...final].sort());
    for (const state of final)
      for (const next of states) expect(mayFollow(table, state, next)).toBe(false);
  });

  test('can all be reached from the first, and can all come to an end', () => {
    expect([...reachable(table, first), first].sort()).toEqual(expect.arrayContaining([...states]));
    for (const state of states) {
      if (isFinal(table, state)) continue;
      expect([...reachable(table, state)].some((later) => isFinal(table, later))).toBe(true);
    }
  });

  test('never follow themselves: a change is a change', () => {
    for (const state of states) expect(mayFollow(table, state, state)).toBe(false);
  });
});

test('a job that ended never starts again, though one of its tasks may be run anew', () => {
  expect(mayFollow(JOB_TRANSITIONS, 'succeeded', 'running')).toBe(false);
  expect(mayFollow(TASK_TRANSITIONS, 'succeeded', 'queued')).toBe(true);
});

test('a result that comes after its lease was lost still counts, one that was judged does not come again', () => {
  expect(mayFollow(ATTEMPT_TRANSITIONS, 'lost', 'reported')).toBe(true);
  for (const state of ['accepted', 'rejected', 'disputed'] as const) {
    expect(mayFollow(ATTEMPT_TRANSITIONS, state, 'reported')).toBe(false);
  }
  expect(mayFollow(ATTEMPT_TRANSITIONS, 'running', 'accepted')).toBe(false);
});
