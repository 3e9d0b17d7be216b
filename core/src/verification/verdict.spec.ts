import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptId } from '../testing/builders.js';
import { judge, type Execution } from './verdict.js';

const ROLES = ['primary', 'replica', 'audit', 'referee'] as const;
/** One execution for each letter, its result; a dot has not reported. */
const executions = (results: string): Execution[] =>
  [...results].map((result, i) => ({
    attemptId: attemptId(i),
    role: ROLES[Math.min(i, 3)] ?? 'referee',
    result: result === '.' ? null : result,
  }));
const ids = (...numbers: number[]) => numbers.map(attemptId);

test.each(['.', '..', 'a.', '.a', 'aa.', 'ab.', 'aab.', 'abc.'])(
  'nothing is said of %s before all have reported',
  (results) => {
    expect(judge(executions(results))).toEqual({ next: 'wait' });
  },
);

test('a single execution is accepted, since nobody contradicts it', () => {
  expect(judge(executions('a'))).toEqual({ next: 'done', accepted: ids(0), rejected: [] });
});

test('executions that agree are accepted, all of them', () => {
  expect(judge(executions('aaa'))).toEqual({ next: 'done', accepted: ids(0, 1, 2), rejected: [] });
});

test.each(['ab', 'abc', 'abcd', 'aabb', 'aabc', 'abab'])(
  'without more than half on one side %s needs a referee',
  (results) => {
    expect(judge(executions(results))).toEqual({
      next: 'referee',
      disputed: ids(...results.split('').keys()),
    });
  },
);

test('two against one is a verdict, whoever the one is', () => {
  expect(judge(executions('aab'))).toEqual({ next: 'done', accepted: ids(0, 1), rejected: ids(2) });
  expect(judge(executions('aba'))).toEqual({ next: 'done', accepted: ids(0, 2), rejected: ids(1) });
  expect(judge(executions('baa'))).toEqual({ next: 'done', accepted: ids(1, 2), rejected: ids(0) });
});

test('three against two is one too', () => {
  expect(judge(executions('ababa'))).toEqual({
    next: 'done',
    accepted: ids(0, 2, 4),
    rejected: ids(1, 3),
  });
});

test('an empty text is a result like any other', () => {
  const silent = executions('aa').map((execution) => ({ ...execution, result: '' }));
  expect(judge(silent)).toEqual({ next: 'done', accepted: ids(0, 1), rejected: [] });
});

const anyExecutions = fc
  .array(fc.constantFrom('a', 'b', 'c', '.'), { minLength: 1, maxLength: 9 })
  .map((results) => executions(results.join('')));

test('a verdict names every execution once, and what is accepted agrees and is the majority', () => {
  fc.assert(
    fc.property(anyExecutions, (all) => {
      const judgement = judge(all);
      expect(judgement.next === 'wait').toBe(all.some(({ result }) => result === null));
      if (judgement.next !== 'done') return;
      expect([...judgement.accepted, ...judgement.rejected].sort()).toEqual(
        all.map((one) => one.attemptId).sort(),
      );
      const resultOf = (id: string) => all.find((one) => one.attemptId === id)?.result;
      const [result, ...others] = new Set(judgement.accepted.map(resultOf));
      expect(others).toEqual([]);
      expect(judgement.rejected.map(resultOf)).not.toContain(result);
      expect(judgement.accepted.length).toBeGreaterThan(judgement.rejected.length);
    }),
    { numRuns: 2_000 },
  );
});

test('the order in which executions are read does not matter', () => {
  const shuffled = anyExecutions.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  const sorted = (judgement: ReturnType<typeof judge>) =>
    Object.fromEntries(
      Object.entries(judgement).map(([name, value]) => [
        name,
        Array.isArray(value) ? [...value].sort() : value,
      ]),
    );
  fc.assert(
    fc.property(shuffled, ([all, turned]) => {
      expect(sorted(judge(turned))).toEqual(sorted(judge(all)));
    }),
    { numRuns: 1_000 },
  );
});

test('a referee at a time ends every dispute between a few', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b'), { minLength: 2, maxLength: 5 }), (results) => {
      let all = results.join('');
      for (let referees = 0; judge(executions(all)).next === 'referee'; referees += 1) {
        expect(referees).toBeLessThan(5);
        all += 'a';
      }
      expect(judge(executions(all)).next).toBe('done');
    }),
  );
});
