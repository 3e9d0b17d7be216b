import { createServer, type Server } from 'node:net';

/** Tries before it is said that something else is wrong. */
const TRIES = 20;

/** Finds a TCP port on 127.0.0.1 that nobody listens on at this moment, nor on the one after it: a chain takes both. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const server = await listening(0);
    const address = server?.address();
    const port = address !== null && typeof address === 'object' ? address.port : undefined;
    const next = port === undefined ? null : await listening(port + 1);
    await Promise.all([closed(server), closed(next)]);
    if (port !== undefined && next !== null) return port;
  }
  throw new Error('no two ports in a row are free on 127.0.0.1');
}

/** A server on a port; null where somebody else is. */
async function listening(port: number): Promise<Server | null> {
  if (port > 65_535) return null;
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function closed(server: Server | null): Promise<void> {
  if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
}
