import { expect, it } from 'vitest';
import { dataOf } from './job-events.js';

it('joins the data lines of an event and leaves out its other fields', () => {
  expect(dataOf('id: 3\nevent: running\ndata: {"a":\ndata:1}')).toBe('{"a":\n1}');
});

it('has nothing for a comment', () => {
  expect(dataOf(': still here')).toBe('');
});
