import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeFault } from './node-version.mjs';

test.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0'])('Node %s will do', (version) => {
  expect(nodeFault(version)).toBeUndefined();
});

test.each(['20.18.3', '18.20.4', '8.17.0'])(
  'Node %s is refused, with what to do about it',
  (version) => {
    expect(nodeFault(version)).toContain(`needs Node.js 20.19 or newer and this is ${version}`);
    expect(nodeFault(version)).toContain('https://nodejs.org');
  },
);

test('the oldest version is the one that package.json promises', () => {
  const { engines } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const oldest = engines.node.replace('>=', '');
  expect(nodeFault(oldest)).toBeUndefined();
  const [major, minor] = oldest.split('.').map(Number);
  expect(nodeFault(`${major}.${minor - 1}.0`)).toBeDefined();
});
