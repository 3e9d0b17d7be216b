import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from './openapi.js';
import { ROUTES, type Route } from './routes.js';

interface Operation {
  readonly operationId: string;
  readonly security?: unknown;
  readonly parameters?: readonly { name: string; in: string; required: boolean }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { description: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

// What the function gives is a document of this shape; the tests below would fail on another.
const document = openApiDocument('0.1.0') as unknown as Document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

test('the same build gives the same document', () => {
  expect(JSON.stringify(openApiDocument('0.1.0'))).toBe(JSON.stringify(document));
});

test('the committed description is what the route table gives today', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const fresh = JSON.parse(JSON.stringify(openApiDocument(version))) as unknown;
  expect(JSON.parse(read('orchestrator/openapi.json'))).toEqual(fresh);
});

test('every route is one operation under its own id', () => {
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    Object.keys(ROUTES).sort(),
  );
});

test('every reference leads to a schema that is there', () => {
  const names = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, target]) => target ?? '',
  );
  expect(names.length).toBeGreaterThan(50);
  for (const name of new Set(names)) {
    expect(name).toMatch(/^#\/components\/schemas\//);
    expect(document.components.schemas).toHaveProperty([
      name.slice('#/components/schemas/'.length),
    ]);
  }
});

describe.each(Object.entries<Route>(ROUTES))('%s', (operationId, route) => {
  const operation = document.paths[route.path]?.[route.method];

  test('says what it needs and what it answers', () => {
    expect(operation?.operationId).toBe(operationId);
    expect(operation?.security !== undefined).toBe(route.access !== 'public');
    expect(operation?.requestBody !== undefined).toBe(route.body !== undefined);
    expect(operation?.responses).toHaveProperty([String(route.status)]);
    for (const { in: place, required } of operation?.parameters ?? [])
      if (place === 'path') expect(required).toBe(true);
  });

  test('shows every error code it may answer with', () => {
    const said = Object.values(operation?.responses ?? {}).flatMap(({ description }) =>
      description.split(', '),
    );
    for (const code of [...route.errors, 'VALIDATION_FAILED', 'RATE_LIMITED', 'INTERNAL'])
      expect(said).toContain(code);
    if (route.access !== 'public')
      expect(said).toEqual(expect.arrayContaining(['UNAUTHENTICATED', 'FORBIDDEN']));
  });
});

test('a limit of a page is optional, since it has a default', () => {
  const limit = document.paths['/v1/jobs']?.['get']?.parameters?.find(
    ({ name }) => name === 'limit',
  );
  expect(limit).toMatchObject({ in: 'query', required: false });
});
