import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { programFile } from './program-file.js';

test.each(['v3', 'v0'] as const)(
  'the committed program for %s is the one that was recorded',
  (sbpf) => {
    const sidecar = new URL('../program/settlement.build.json', import.meta.url);
    const recorded = JSON.parse(readFileSync(sidecar, 'utf8')).sha256[sbpf];
    expect(
      createHash('sha256')
        .update(readFileSync(programFile(sbpf)))
        .digest('hex'),
    ).toBe(recorded);
  },
);
