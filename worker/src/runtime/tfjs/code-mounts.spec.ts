import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codeMounts, workerFolder } from './code-mounts.js';

describe('what a child may read', () => {
  const mounts = codeMounts();

  test('holds what it needs, each at its place, and every source is there', () => {
    const targets = mounts.map(({ target }) => target);
    expect(targets).toEqual(
      expect.arrayContaining([
        '/app/worker/dist',
        '/app/node_modules/@tensorflow/tfjs-node',
        '/app/node_modules/zod',
        '/app/node_modules/@noble/hashes',
        '/app/node_modules/@tidemill/protocol/dist',
      ]),
    );
    expect(new Set(targets).size).toBe(targets.length);
    expect(
      mounts.filter(({ source, target }) => !target.includes('dist') && !existsSync(source)),
    ).toEqual([]);
  });

  test('holds none of what only the worker itself needs, nor any source or key beside it', () => {
    const names = mounts.map(({ target }) => target.replace('/app/node_modules/', ''));
    for (const name of ['ws', 'pino', 'prom-client', '@tidemill/protocol', '@tidemill/worker'])
      expect(names).not.toContain(name);
    expect(mounts.map(({ source }) => source)).not.toContain(workerFolder());
  });
});
