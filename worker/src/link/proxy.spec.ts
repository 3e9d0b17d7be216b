import { afterEach, expect, test, vi } from 'vitest';
import { fetchFor, proxyAgentFor } from './proxy.js';

afterEach(() => vi.unstubAllEnvs());

/** Only these name a proxy, whatever the machine of the test has. */
function proxies(set: Readonly<Record<string, string>>): void {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, set[name] ?? '');
    vi.stubEnv(name.toLowerCase(), '');
  }
}

const isProxied = (url: string) => ({
  socket: proxyAgentFor(url.replace(/^http/, 'ws')) !== undefined,
  files: fetchFor(url) !== globalThis.fetch,
});
const BOTH = { socket: true, files: true };
const NEITHER = { socket: false, files: false };

test('socket and files go through the same proxy, each protocol through its own', () => {
  proxies({ HTTPS_PROXY: 'http://proxy.example:3128' });
  expect(isProxied('https://compute.example')).toEqual(BOTH);
  expect(isProxied('http://compute.example')).toEqual(NEITHER);
  proxies({ ALL_PROXY: 'http://proxy.example:3128' });
  expect(isProxied('http://compute.example')).toEqual(BOTH);
});

test('whoever NO_PROXY names is reached straight', () => {
  proxies({ ALL_PROXY: 'http://proxy.example:3128', NO_PROXY: 'localhost,.example,10.0.0.7:7070' });
  expect(isProxied('https://compute.example')).toEqual(NEITHER);
  expect(isProxied('http://localhost:7070')).toEqual(NEITHER);
  expect(isProxied('http://10.0.0.7:7070')).toEqual(NEITHER);
  expect(isProxied('http://10.0.0.7:7071')).toEqual(BOTH);
  expect(isProxied('https://compute.test')).toEqual(BOTH);
});
