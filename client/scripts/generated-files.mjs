import openapiTS, { astToString } from 'openapi-typescript';
import { pythonTypes } from './python-types.mjs';

const NOTICE = `/* Generated from orchestrator/openapi.json by client/scripts/generate.mjs; not edited by hand. */\n\n`;

/** The generated files, as paths from the repository root and their text. The same document gives the same text. */
export async function generatedFiles(document) {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  // A copy: the generator changes what it is given.
  const types = await openapiTS(JSON.parse(text), { defaultNonNullable: false });
  return [
    { path: 'orchestrator/openapi.json', text },
    { path: 'client/src/sdk/generated/api.ts', text: NOTICE + astToString(types) },
    { path: 'client/python/tidemill/api_types.py', text: pythonTypes(JSON.parse(text)) },
  ];
}
