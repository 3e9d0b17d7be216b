import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config/env.js';
import { FAULT_POINTS, parseFaultPoint } from './fault-points.js';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));

const used = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => /(?<!spec)\.ts$/.test(file) && !file.endsWith('fault-points.ts'))
  .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
  .join('\n');

test('there are at least 40 points, and each stands at exactly one place', () => {
  expect(FAULT_POINTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(FAULT_POINTS).size).toBe(FAULT_POINTS.length);
  const places = FAULT_POINTS.map((point) => [point, used.split(`'${point}'`).length - 1]);
  expect(places.filter(([, times]) => times !== 1)).toEqual([]);
});

test('a point is named with the pass that ends the process, the first unless said', () => {
  expect(parseFaultPoint('jobs.accept.after-commit')).toEqual({
    point: 'jobs.accept.after-commit',
    nth: 1,
  });
  expect(parseFaultPoint('jobs.accept.after-commit:12')).toMatchObject({ nth: 12 });
  for (const wrong of ['', 'jobs.accept', 'jobs.accept.after-commit:0', 'constructor', 'a b'])
    expect(parseFaultPoint(wrong), wrong).toBeNull();
});

describe('the environment', () => {
  const settings = {
    TIDEMILL_DATABASE_URL: 'postgres://localhost/x',
    TIDEMILL_NETWORK: 'test',
    TIDEMILL_AUDIENCE: 'localhost',
    TIDEMILL_KEY_FILE: 'key.json',
  };
  const armed = (TIDEMILL_FAULT_POINT: string, NODE_ENV?: string) =>
    readConfig({ ...settings, TIDEMILL_FAULT_POINT, ...(NODE_ENV && { NODE_ENV }) });

  test('of a test may arm a point', () => {
    expect(armed('ledger.booking.before-commit:2', 'test')).toMatchObject({
      config: { faultPoint: { point: 'ledger.booking.before-commit', nth: 2 } },
    });
    expect(armed('', 'test')).toMatchObject({ config: { faultPoint: null } });
    expect(armed('nowhere', 'test')).toMatchObject({
      faults: [expect.stringMatching(/TIDEMILL_FAULT_POINT: there is no point nowhere/)],
    });
  });

  test.each([undefined, 'production', 'development'])('where NODE_ENV is %s may not', (nodeEnv) => {
    expect(armed('ledger.booking.before-commit', nodeEnv)).toMatchObject({
      faults: [expect.stringMatching(/TIDEMILL_FAULT_POINT: only tests/)],
    });
  });
});

test('the process ends at the pass that was asked for, at once and without a word of goodbye', () => {
  const { outputText } = ts.transpileModule(
    readFileSync(join(SOURCES, 'platform/fault-points.ts'), 'utf8'),
    { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } },
  );
  const program = `${outputText}
    armFaultPoint({ point: 'jobs.accept.after-commit', nth: 3 });
    process.on('exit', () => console.log('goodbye'));
    for (let pass = 1; pass <= 4; pass += 1) {
      faultPoint('jobs.cancel.after-commit');
      faultPoint('jobs.accept.after-commit');
      console.log(pass);
    }`;
  const { stdout, stderr, signal } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program],
    {
      encoding: 'utf8',
      env: {},
    },
  );
  expect(signal).toBe('SIGKILL');
  expect(stdout).toBe('1\n2\n');
  expect(stderr).toBe('fault point jobs.accept.after-commit\n');
});
