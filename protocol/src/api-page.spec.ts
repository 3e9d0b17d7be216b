import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS } from './errors.js';
import { ROUTES, type Route } from './routes.js';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

test('the page lists every error code as it is, and none that does not exist', () => {
  const rows = page.split('\n').flatMap((line) => {
    const [, code, status, title, next] = line.split('|').map((cell) => cell.trim());
    return /^`[A-Z_]+`$/.test(code ?? '') ? [[code, status, title, next]] : [];
  });
  expect(rows).toEqual(
    Object.entries(ERRORS).map(([code, { status, title, next }]) => [
      `\`${code}\``,
      String(status),
      title,
      next,
    ]),
  );
});

test('every address that the page calls is one of the API', () => {
  const known = Object.values<Route>(ROUTES).map(
    ({ path }) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  );
  const called = Array.from(page.matchAll(/"\$TIDEMILL_URL([^"?]+)/g), ([, path = '']) => path);
  expect(called.length).toBeGreaterThan(10);
  for (const path of called)
    expect([path, known.some((form) => form.test(path))]).toEqual([path, true]);
});
