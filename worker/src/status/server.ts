import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { StatusReport } from './report.js';

export interface StatusServerOptions {
  readonly port: number;
  readonly report: () => StatusReport;
  readonly registry: Registry;
  readonly drain: () => void;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /status`, `GET /metrics` and `POST /drain` on 127.0.0.1. Pages in a browser on this machine are kept out: a request
 * with an Origin, or under a name that is not the loopback address, is refused. @throws when the port is taken
 */
export async function startStatusServer(options: StatusServerOptions): Promise<RunningServer> {
  const server = createServer({ requestTimeout: 5_000 }, (request, response) => {
    void answer(options, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return { port: portOf(server), close: () => close(server) };
}

async function answer(
  options: StatusServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { headers, method, url } = request;
  if (
    headers.origin !== undefined ||
    !/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')
  ) {
    return send(response, 403, 'text/plain', 'only for programs on this machine\n');
  }
  switch (`${method} ${url}`) {
    case 'GET /status':
      return send(response, 200, 'application/json', `${JSON.stringify(options.report())}\n`);
    case 'GET /metrics':
      return send(response, 200, options.registry.contentType, await options.registry.metrics());
    case 'POST /drain':
      options.drain();
      return send(response, 202, 'application/json', `${JSON.stringify(options.report())}\n`);
    default:
      return send(response, 404, 'text/plain', 'GET /status, GET /metrics or POST /drain\n');
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response
    .writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
    .end(body);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the status server has no port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
