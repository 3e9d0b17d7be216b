import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { Chain, type ChainOptions } from './chain.js';
import { ChainFile } from './chain-file.js';
import { exactJson } from './exact-json.js';
import { RPC, RpcError } from './rpc-error.js';
import { type Call, rpcMethods } from './rpc-methods.js';
import { Subscriptions } from './subscriptions.js';

/** A real slot's length. */
const SLOT_MS = 400;
/** Longer than clients pause: Node's own 5 s break connections that they still mean to use. */
const KEEP_ALIVE_MS = 120_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** A transaction is on disk after this; a crash loses no more. */
const SAVE_AFTER_MS = 200;
/** And slots that passed without one. */
const SAVE_SLOTS_AFTER_MS = 5_000;

export interface StartChainOptions extends Omit<ChainOptions, 'saved'> {
  readonly port: number;
  readonly host?: string;
  /** How long a slot takes; 0 leaves time to `tidemill_warp`. */
  readonly slotMs?: number;
  /** Where the chain is kept between two runs. Without it everything is forgotten. */
  readonly dir?: string;
}

export interface RunningChain {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly chain: Chain;
  /** Answers a method without a socket. @throws RpcError */
  readonly call: Call;
  close(): Promise<void>;
}

/**
 * Starts a chain behind Solana's JSON-RPC: HTTP on `port`, and WebSocket on it and on the port after it, where web3.js looks for
 * it. It is an emulator for development and tests; docs/chain.md says how it differs from a cluster.
 */
export async function startChain(options: StartChainOptions): Promise<RunningChain> {
  const { port, host = '127.0.0.1', slotMs = SLOT_MS, dir } = options;
  const file = dir === undefined ? undefined : new ChainFile(dir);
  const saved = file?.read();
  const chain = new Chain({ ...options, ...(saved === undefined ? {} : { saved }) });
  const call = rpcMethods(chain);
  const saving = file === undefined ? undefined : new Saving(chain, file);

  const servers = await Promise.all([port, port + 1].map((one) => listen(one, host, call)));
  const sockets = servers.map((server) =>
    new WebSocketServer({ server, maxPayload: MAX_BODY_BYTES }).on('connection', (socket) =>
      serve(socket, chain, call),
    ),
  );
  const timer = slotMs === 0 ? undefined : setInterval(() => chain.tick(), slotMs);
  return {
    rpcUrl: `http://${host}:${port}`,
    wsUrl: `ws://${host}:${port + 1}`,
    chain,
    call,
    close: async () => {
      clearInterval(timer);
      for (const server of sockets) {
        for (const client of server.clients) client.terminate();
        server.close();
      }
      await Promise.all(servers.map(closed));
      saving?.now();
    },
  };
}

/** Writes a chain to its file a moment after it changed. */
class Saving {
  private timer: NodeJS.Timeout | undefined;
  private dueMs = Infinity;

  constructor(
    private readonly chain: Chain,
    private readonly file: ChainFile,
  ) {
    chain.on('executed', () => this.within(SAVE_AFTER_MS));
    chain.on('slot', () => this.within(SAVE_SLOTS_AFTER_MS));
  }

  private within(ms: number): void {
    const dueMs = performance.now() + ms;
    if (dueMs >= this.dueMs) return;
    this.dueMs = dueMs;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), ms);
  }

  now(): void {
    clearTimeout(this.timer);
    this.dueMs = Infinity;
    this.file.write(this.chain.save());
  }
}

function listen(port: number, host: string, call: Call): Promise<Server> {
  const server = createServer((request, response) => void onHttp(request, response, call));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

interface Question {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

async function onHttp(
  request: IncomingMessage,
  response: ServerResponse,
  call: Call,
): Promise<void> {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', '*');
  if (request.method === 'GET' && request.url === '/health') return void response.end('ok');
  if (request.method !== 'POST')
    return void response.writeHead(request.method === 'OPTIONS' ? 204 : 405).end();
  response.setHeader('content-type', 'application/json');
  try {
    const question = JSON.parse(await bodyOf(request)) as Question | Question[];
    const answer = Array.isArray(question)
      ? question.map((one) => answerTo(one, call))
      : answerTo(question, call);
    response.end(exactJson(answer));
  } catch {
    response.writeHead(400).end(exactJson(refusal(null, new RpcError(RPC.parse, 'Parse error'))));
  }
}

/** @throws RangeError when it is too large */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError('the body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function serve(socket: WebSocket, chain: Chain, call: Call): void {
  const send = (message: object) => {
    if (socket.readyState === socket.OPEN) socket.send(exactJson(message));
  };
  const subscriptions = new Subscriptions(chain, send);
  const either: Call = (method, params) =>
    subscriptions.answer(method, params) ?? call(method, params);
  socket.on('message', (data: Buffer) => {
    let question: Question;
    try {
      question = JSON.parse(data.toString()) as Question;
    } catch {
      return send(refusal(null, new RpcError(RPC.parse, 'Parse error')));
    }
    // web3.js sends a ping as a notification, which is not answered.
    if (question.id !== undefined) send(answerTo(question, either));
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => subscriptions.close());
}

function answerTo({ id, method, params }: Question, call: Call): object {
  try {
    const result = call(String(method), Array.isArray(params) ? params : []);
    return { jsonrpc: '2.0', id: id ?? null, result };
  } catch (error) {
    return refusal(id, error);
  }
}

/** What an unknown fault says is about its parameters: methods fail only where those cannot be read. */
function refusal(id: unknown, error: unknown): object {
  const known = error instanceof RpcError ? error : new RpcError(RPC.params, String(error));
  const { code, message, data } = known;
  return {
    jsonrpc: '2.0',
    id: id ?? null,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  };
}
