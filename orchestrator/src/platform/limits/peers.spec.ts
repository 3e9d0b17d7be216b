import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Peers, proxyOf, type Proxy } from './peers.js';

const from = (remoteAddress: string, forwarded?: string | string[]) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage; // what is read of a request
const behind = (...proxies: string[]) =>
  new Peers(proxies.map(proxyOf).filter((proxy): proxy is Proxy => proxy !== null));

describe('the network of a peer', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('%s counts as %s', (address, counted) => {
    expect(behind().networkOf(from(address))).toBe(counted);
  });

  test('is not what a stranger writes into a header (G20)', () => {
    expect(behind().networkOf(from('192.0.2.7', '198.51.100.1'))).toBe('192.0.2.7');
    expect(behind('10.0.0.0/8').networkOf(from('192.0.2.7', '10.0.0.1'))).toBe('192.0.2.7');
  });

  test('is what a trusted proxy saw, and not what it was told', () => {
    const peers = behind('10.0.0.0/8', 'fd00::/8');
    expect(peers.networkOf(from('10.0.0.1', '1.1.1.1, 198.51.100.1'))).toBe('198.51.100.1');
    expect(peers.networkOf(from('::ffff:10.0.0.1', ['1.1.1.1', '198.51.100.1, 10.9.9.9']))).toBe(
      '198.51.100.1',
    );
    expect(peers.networkOf(from('fd00::1', '2001:db8::5'))).toBe('2001:db8:0:0::/64');
  });

  test('is the proxy itself when it says nothing that is an address', () => {
    const peers = behind('10.0.0.1');
    for (const said of [undefined, '', 'unknown', '198.51.100.1, nonsense', ', ,'])
      expect(peers.networkOf(from('10.0.0.1', said))).toBe('10.0.0.1');
  });

  test('costs little, however long the header is', () => {
    const said = Array.from({ length: 2_000 }, () => '10.0.0.1').join(',');
    expect(behind('10.0.0.1').networkOf(from('10.0.0.1', said))).toBe('10.0.0.1');
  });
});

test.each(['10.0.0.0/33', '10.0.0/8', '::/129', 'example.org', '10.0.0.1/8/8', '10.0.0.1/x', ''])(
  '%j is no proxy',
  (text) => {
    expect(proxyOf(text)).toBeNull();
  },
);
