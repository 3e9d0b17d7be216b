import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Hops of a forwarding header that are looked at: more than anybody's chain of proxies. */
const MAX_HOPS = 16;

/**
 * Who is at the other end, as far as limits go: an IPv4 address, or a /64 of IPv6, of which a single host has as many addresses as it
 * likes. What a forwarding header says counts only as far as trusted proxies wrote it.
 */
export class Peers {
  private readonly trusted: BlockList;

  constructor(trustedProxies: readonly Proxy[]) {
    this.trusted = new BlockList();
    for (const { address, prefix } of trustedProxies)
      this.trusted.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6');
  }

  /** The network that a request or an upgrade comes from. */
  networkOf(request: Pick<IncomingMessage, 'headers' | 'socket'>): string {
    let address = plain(request.socket.remoteAddress ?? '');
    const said = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(said) ? said.join(',') : (said ?? '')).split(',').slice(-MAX_HOPS);
    // From the nearest hop outwards: the first that is no proxy of ours is the peer.
    while (this.isTrusted(address)) {
      const before = plain((hops.pop() ?? '').trim());
      if (!isIPv4(before) && !isIPv6(before)) break;
      address = before;
    }
    return network(address);
  }

  /** Whether an address is a proxy that speaks for many. */
  isTrusted(address: string): boolean {
    const bare = plain(address);
    if (isIPv4(bare)) return this.trusted.check(bare, 'ipv4');
    return isIPv6(bare) && this.trusted.check(bare, 'ipv6');
  }
}

/** A proxy, or a range of them. */
export interface Proxy {
  readonly address: string;
  readonly prefix: number;
}

/** Reads `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`; null when it is neither. */
export function proxyOf(text: string): Proxy | null {
  const [address = '', length, ...rest] = text.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : null;
  if (most === null || rest.length > 0) return null;
  if (length === undefined) return { address, prefix: most };
  const prefix = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return prefix <= most ? { address, prefix } : null;
}

/** The name under which an address is counted. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}

/** Without a zone, and IPv4 as such where it is written as IPv6. */
function plain(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return mapped?.[1] ?? bare;
}
