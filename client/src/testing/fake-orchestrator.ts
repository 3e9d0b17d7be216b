import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERRORS, type ErrorCode } from '@tidemill/protocol';

/** A request as the fake saw it. */
interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  json(): unknown;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** Written piece by piece; the connection is cut afterwards when `cut` is set. */
  readonly pieces?: readonly string[];
  readonly cut?: boolean;
}

/** Answers a request, or cuts the connection by returning null. The number counts calls of this route, from 1. */
export type Handler = (request: SeenRequest, call: number) => Answer | null;

export interface FakeOrchestrator {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A refusal as the orchestrator words it. */
export function refusal(code: ErrorCode, detail: string, more: object = {}): Answer {
  const { status, title, next } = ERRORS[code];
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    json: { type: `/errors/${code}`, title, status, code, detail, next, ...more },
  };
}

/** An HTTP server with a handler for each `METHOD /path`; a path may end in `*`. Anything else is NOT_FOUND. */
export async function fakeOrchestrator(
  routes: Readonly<Record<string, Handler>>,
): Promise<FakeOrchestrator> {
  const requests: SeenRequest[] = [];
  const calls = new Map<string, number>();
  const server = createServer((incoming, response) => {
    void seen(incoming).then((request) => {
      requests.push(request);
      const key = routeOf(routes, request);
      const call = (calls.get(key) ?? 0) + 1;
      calls.set(key, call);
      const answer = (routes[key] ?? (() => refusal('NOT_FOUND', `no ${key}`)))(request, call);
      if (answer === null) incoming.socket.destroy();
      else reply(response, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Listening on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routeOf(routes: Readonly<Record<string, Handler>>, { method, path }: SeenRequest): string {
  const exact = `${method} ${path}`;
  if (exact in routes) return exact;
  const open = Object.keys(routes).filter((key) => key.endsWith('*'));
  return open.find((key) => exact.startsWith(key.slice(0, -1))) ?? exact;
}

async function seen(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? '/', 'http://fake');
  const body = Buffer.concat(chunks);
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    json: () => JSON.parse(body.toString('utf8')) as unknown,
  };
}

function reply(response: ServerResponse, answer: Answer): void {
  const json = answer.json === undefined ? undefined : JSON.stringify(answer.json);
  response.writeHead(answer.status ?? 200, {
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...answer.headers,
  });
  if (answer.pieces === undefined) {
    response.end(json ?? answer.bytes);
    return;
  }
  for (const piece of answer.pieces) response.write(piece);
  // What was written has to leave before the connection is cut.
  if (answer.cut) setTimeout(() => response.destroy(), 20);
  else response.end();
}
