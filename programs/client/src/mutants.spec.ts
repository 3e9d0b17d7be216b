import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TestChain } from './testing/chain.js';
import { EXPLOITS } from './testing/exploits.js';

interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
interface Mutant extends Change {
  readonly name: string;
  /** Numbers of the threat model. */
  readonly threats: readonly number[];
  readonly also?: Change;
}

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
// The builds and this test hash the sources by the same script.
const { sourceHash } = await import(at('build/source-hash.mjs').pathname);
const json = (path: string) => JSON.parse(readFileSync(at(path), 'utf8'));
const mutants: Mutant[] = json('build/mutants.json');
const built = json('client/mutants/mutants.build.json');
const bytesOf = (name: string): Uint8Array =>
  gunzipSync(readFileSync(at(`client/mutants/${name}.so.gz`)));

describe.each(mutants)('$name', ({ name }) => {
  const exploit = EXPLOITS[name];

  test('the attack gets nothing from the program as it is', async () => {
    expect(await exploit?.(new TestChain())).toBe(false);
  });

  test('the attack succeeds on a build without the check', async () => {
    const bytes = bytesOf(name);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(built.sha256[name]);
    expect(await exploit?.(new TestChain(bytes))).toBe(true);
  });
});

test('the mutants are of the sources as they are, each with another check taken out', async ({
  annotate,
}) => {
  expect(built.sources).toBe(sourceHash(at('settlement').pathname));
  expect(Object.keys(built.sha256)).toEqual(mutants.map(({ name }) => name));
  expect(new Set(Object.values(built.sha256)).size).toBe(mutants.length);
  expect(Object.keys(EXPLOITS).sort()).toEqual(mutants.map(({ name }) => name).sort());
  for (const { file, find, also } of mutants) {
    for (const change of [{ file, find }, ...(also === undefined ? [] : [also])]) {
      const path = at(`settlement/src/${change.file}`);
      expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toContain(change.find);
    }
  }
  // Whoever claims or submits, whoever looks like somebody else, and a stolen key.
  expect(new Set(mutants.flatMap(({ threats }) => threats))).toEqual(
    new Set([33, 34, 35, 36, 37, 38, 39, 40]),
  );
  await annotate(`${mutants.length} mutants of the program, each found`, 'T10');
});
