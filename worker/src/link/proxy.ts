import type { Agent } from 'node:http';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { fetch as fetchOver, ProxyAgent } from 'undici';

/**
 * What leads to an address through the proxy that the environment names for it (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in either case);
 * undefined where it is reached straight. Tunnelled by CONNECT, so the proxy sees who is called and nothing of what is said.
 */
export function proxyAgentFor(url: string): Agent | undefined {
  // Proxies are named for http and https; a socket of the web begins as a request of these.
  const proxy = getProxyForUrl(url.replace(/^ws/, 'http'));
  return proxy === '' ? undefined : new HttpsProxyAgent(proxy);
}

/** `fetch` for an address, through the proxy of the environment where there is one. */
export function fetchFor(url: string): typeof globalThis.fetch {
  const proxy = getProxyForUrl(url);
  if (proxy === '') return globalThis.fetch;
  const dispatcher = new ProxyAgent({ uri: proxy, proxyTunnel: true });
  // Both are the fetch of the web standard; their types come from two copies of the same package.
  return ((input: string, init?: object) =>
    fetchOver(input, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
}
