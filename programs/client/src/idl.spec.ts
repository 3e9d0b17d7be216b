import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settlementIdl } from './idl.js';
import { REFUSALS } from './refusals.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the committed IDL is the one that the client speaks', () => {
  const committed = JSON.parse(read('../program/settlement.idl.json'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(settlementIdl(committed.address))));
});

test('the refusals of the client are those of the program, by number and name', () => {
  const inRust = read('../../settlement/src/error.rs').matchAll(/^ {4}(\w+) = (\d+),$/gm);
  expect([...inRust].map(([, name, code]) => ({ code: Number(code), name }))).toEqual(
    REFUSALS.map(({ code, name }) => ({ code, name })),
  );
});
