import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyFileError, openKey } from './key.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemill-key-'));
  file = join(folder, 'new', 'key.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('an absent key is made for its owner alone, and is the same the next time', () => {
  const made = openKey(file);
  expect(made.isNew).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(openKey(file)).toMatchObject({ isNew: false, signer: { address: made.signer.address } });
});

test.each([0o640, 0o604, 0o660])('a key with mode %o is refused', (mode) => {
  openKey(file);
  chmodSync(file, mode);
  expect(() => openKey(file)).toThrow(KeyFileError);
});

test('a key whose halves do not belong together is refused', () => {
  openKey(file);
  const bytes = JSON.parse(readFileSync(file, 'utf8')) as number[];
  writeFileSync(file, JSON.stringify([...bytes.slice(1), 0]));
  expect(() => openKey(file)).toThrow(KeyFileError);
});
