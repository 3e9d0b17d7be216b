import { expect, test } from 'vitest';
import { isSatisfied } from './npm-packages.mjs';

const wanted = {
  packages: {
    '': { name: 'tidemill' },
    core: { version: '0.1.0' },
    'node_modules/@tidemill/core': { resolved: 'core', link: true },
    'node_modules/pg': { version: '8.23.1' },
    'node_modules/pg/node_modules/ms': { version: '2.0.0' },
    'node_modules/@esbuild/win32-x64': { version: '0.27.0', optional: true },
  },
};
const installed = () => ({
  packages: {
    'node_modules/@tidemill/core': { resolved: 'core', link: true },
    'node_modules/pg': { version: '8.23.1' },
    'node_modules/pg/node_modules/ms': { version: '2.0.0' },
  },
});

test('the locked versions are enough, without what fits only other machines', () => {
  expect(isSatisfied(wanted, installed())).toBe(true);
});

test.each([
  ['a package is missing', (packages) => delete packages['node_modules/pg/node_modules/ms']],
  ['a workspace is not linked', (packages) => delete packages['node_modules/@tidemill/core']],
  ['a version is another', (packages) => (packages['node_modules/pg'].version = '8.22.0')],
])('it is not enough when %s', (_, change) => {
  const other = installed();
  change(other.packages);
  expect(isSatisfied(wanted, other)).toBe(false);
});
