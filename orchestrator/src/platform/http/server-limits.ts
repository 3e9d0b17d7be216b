import type { NextFunction, Request, Response } from 'express';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Peers } from '../limits/peers.js';
import { isDocument } from './json-body.js';

/** How long a connection may take for what, in milliseconds. */
export interface ServerLimits {
  /** From its first byte to the end of its headers; the first time from when the connection was made (G20). */
  readonly headersMs: number;
  /** How often connections are looked at for those that take too long. */
  readonly checkEveryMs: number;
  /** From its first byte to its last. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** A document, other than bytes that are streamed, from its headers to its last byte. */
  readonly documentMs: number;
  /** Connections that one network has at once, its workers' sockets among them. */
  readonly perNetwork: number;
}

const LIMITS: ServerLimits = {
  // Headers are a packet or two, and a worker's handshake is nothing but headers.
  headersMs: 5_000,
  checkEveryMs: 1_000,
  // The largest artifact, of 4 GiB, at 200 kB/s. The artifacts stage cuts a body off that has stood still for 30 s.
  requestMs: 6 * 3_600_000,
  // Longer than the minute after which proxies drop an idle connection, or they would send into one that is just being closed.
  keepAliveMs: 75_000,
  documentMs: 60_000,
  // 32 workers with a few transfers each; one connection costs about 20 kB before it has said anything.
  perNetwork: 256,
};

/** No request of ours has more than a dozen. Their size is bounded by Node, at 16 KiB together. */
const MAX_HEADERS = 64;

/** Bounds what a connection costs before anybody has looked at what it wants. Called before the server listens. */
export function boundServer(server: Server, peers: Peers, limits: ServerLimits = LIMITS): void {
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  server.maxHeadersCount = MAX_HEADERS;
  // Node reads it when the server begins to listen, but takes it only as an option of a server that others make here.
  (server as Server & { connectionsCheckingInterval: number }).connectionsCheckingInterval =
    limits.checkEveryMs;
  limitConnections(server, peers, limits.perNetwork);
  // Node hears a connection's errors no more once it is to be upgraded, and an error that nobody hears ends the process.
  server.prependListener('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    // One that is refused may leave its side open: it is not a socket of ours then, and nobody else would close it.
    socket.once('finish', () => setTimeout(() => socket.destroy(), limits.headersMs).unref());
  });
}

/** Refuses a network's connections above `most`. Proxies speak for many, so theirs are not counted. */
function limitConnections(server: Server, peers: Peers, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    if (peers.isTrusted(socket.remoteAddress ?? '')) return;
    const network = peers.networkOf({ socket, headers: {} });
    const count = open.get(network) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}

/** Cuts off a document that does not arrive in time; the bytes of artifacts may take as long as the server lets them. */
export function documentDeadline({ documentMs }: ServerLimits = LIMITS) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    if (isDocument(request)) {
      const timer = setTimeout(() => {
        if (!request.complete) request.destroy();
      }, documentMs);
      request.once('close', () => clearTimeout(timer));
    }
    next();
  };
}
