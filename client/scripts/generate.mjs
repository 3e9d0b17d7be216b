// Writes orchestrator/openapi.json and the clients' types, in TypeScript and in Python, from the route table. Run `npx tsc -b protocol` before.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { openApiDocument } from '@tidemill/protocol';
import { generatedFiles } from './generated-files.mjs';

const root = new URL('../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
for (const { path, text } of await generatedFiles(openApiDocument(version))) {
  writeFileSync(new URL(path, root), text);
  process.stdout.write(`${path}: ${text.length} characters\n`);
}
