import { readFileSync } from 'node:fs';
import { openApiDocument } from '@tidemill/protocol';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** The generator is plain JavaScript, since it also runs where nothing is built but the protocol. */
const { generatedFiles } = (await import(
  new URL('client/scripts/generated-files.mjs', root).href
)) as {
  generatedFiles: (document: object) => Promise<{ path: string; text: string }[]>;
};

test('openapi.json and the types made from it are what the route table gives today', async () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const files = await generatedFiles(openApiDocument(version));
  expect(files.map(({ path }) => path)).toEqual([
    'orchestrator/openapi.json',
    'client/src/sdk/generated/api.ts',
    'client/python/tidemill/api_types.py',
  ]);
  for (const { path, text } of files) {
    expect(read(path) === text, `${path} is stale: node client/scripts/generate.mjs`).toBe(true);
  }
});
