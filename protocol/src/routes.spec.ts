import { expect, test } from 'vitest';
import { SCOPES } from './api.js';
import { ERRORS } from './errors.js';
import { MAX_PAGE } from './filters.js';
import { ROUTES, type Route } from './routes.js';

const routes = Object.entries<Route>(ROUTES);

test('every operation has an address of its own, whatever its parameters are called', () => {
  const addresses = routes.map(
    ([, { method, path }]) => `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`,
  );
  expect(new Set(addresses).size).toBe(routes.length);
});

test.each(routes)('%s names every parameter of its path, and only those', (_, { path, params }) => {
  const inPath = [...path.matchAll(/\{([a-z]+)\}/gi)].map(([, name]) => name);
  expect(Object.keys(params?.shape ?? {}).sort()).toEqual(inPath.sort());
});

test.each(routes)('%s is described, lies under /v1 and asks for a scope there is', (id, route) => {
  expect(id).toMatch(/^[a-z][A-Za-z]+$/);
  expect(route.path).toMatch(/^\/v1(\/([a-z]+|\{[a-z]+\}))+$/i);
  expect(route.summary).toMatch(/^[A-Z].*[^.]$/);
  expect(['public', ...SCOPES]).toContain(route.access.split('|')[0]);
});

test.each(routes)('%s answers as its method promises', (_, { method, status, body, response }) => {
  expect(status >= 200 && status < 300).toBe(true);
  expect(status === 204).toBe(response === undefined && method !== 'head');
  if (method === 'get' || method === 'head' || method === 'delete') expect(body).toBeUndefined();
});

test.each(routes)(
  '%s lists each of its errors once, and only codes there are',
  (_, { errors, body, params }) => {
    expect(new Set(errors).size).toBe(errors.length);
    for (const code of errors) expect(ERRORS).toHaveProperty(code);
    if (body !== undefined && body !== 'bytes') expect(errors).toContain('JSON_MALFORMED');
    if (params?.shape['id'] !== undefined) expect(errors).toContain('NOT_FOUND');
  },
);

test('a page has at most so many items, and one that asks for none is refused', () => {
  const lists = routes.flatMap(([, { query }]) =>
    query?.shape['cursor'] === undefined ? [] : [query],
  );
  expect(lists.length).toBeGreaterThan(3);
  for (const query of lists) {
    expect(query.parse({})).toMatchObject({ limit: 50 });
    expect(query.parse({ limit: String(MAX_PAGE) })).toMatchObject({ limit: MAX_PAGE });
    for (const limit of [String(MAX_PAGE + 1), '0', '-1', '1.5', 'all'])
      expect(query.safeParse({ limit }).success).toBe(false);
  }
});

test('every other list has a bound of its own', () => {
  const lists = routes.flatMap(([, { query }]) =>
    query?.shape['limit'] === undefined ? [] : [query],
  );
  for (const query of lists) {
    expect(query.safeParse({ limit: '1000000' }).success).toBe(false);
    expect(query.safeParse({ limit: '0' }).success).toBe(false);
  }
});

test('an unknown query parameter is refused, since a misspelled filter would show too much', () => {
  for (const [, { query }] of routes) {
    if (query !== undefined)
      expect(
        query
          .safeParse({ surprise: '1' })
          .error?.issues.some(({ code }) => code === 'unrecognized_keys'),
      ).toBe(true);
  }
});
