import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';

function accepted(...args: string[]) {
  const read = readOptions(args);
  if (!read.ok) throw new Error(read.message);
  return read.options;
}

describe('readOptions', () => {
  it('measures everything by default', () => {
    expect(accepted()).toMatchObject({
      parts: ['peers', 'product', 'latency', 'sockets'],
      jobs: 20_000,
      workers: 200,
      singleJobs: 1_000,
      sockets: 4_000,
      json: false,
    });
  });

  it('takes numbers from the command line, also beside --quick', () => {
    expect(accepted('--workers', '50', '--jobs', '3000', '--json')).toMatchObject({
      workers: 50,
      jobs: 3_000,
      json: true,
    });
    expect(accepted('--quick', '--sockets', '100')).toMatchObject({ jobs: 200, sockets: 100 });
  });

  it('measures the named parts only, in their own order', () => {
    expect(accepted('--only', 'sockets,product').parts).toEqual(['product', 'sockets']);
  });

  it.each([[['--jobs', '0']], [['--jobs', '1e9']], [['--only', 'everything']], [['--fast']]])(
    'refuses %j',
    (args) => {
      expect(readOptions(args).ok).toBe(false);
    },
  );
});
