import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What is done to the connection whose statement matches. */
export type Fault =
  /** COMMIT is not passed on: the connection ends, and with it the transaction. */
  | 'cut before COMMIT'
  /** COMMIT is passed on and done, and the connection ends before its answer comes back. */
  | 'cut after COMMIT'
  /** The statement is answered as PostgreSQL answers when it finds no space for a page. */
  | 'disk full';

interface Armed {
  readonly fault: Fault;
  readonly statement: RegExp;
  readonly done: () => void;
}

const LENGTH_BYTES = 4;
const TYPE_BYTES = 1;

/** Stands between clients and a PostgreSQL, reads the messages that pass, and fails one transaction when it is told to. */
export class PostgresProxy {
  private armed: Armed | undefined;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.pass(client));
  }

  static async listen(databaseUrl: string): Promise<PostgresProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PostgresProxy(server, new URL(databaseUrl));
  }

  /** The database, by way of here. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as AddressInfo).port); // it listens on a port
    return url.href;
  }

  /** Settles when the next transaction with such a statement has met the fault. */
  next(fault: Fault, statement: RegExp): Promise<void> {
    return new Promise((done) => {
      this.armed = { fault, statement, done };
    });
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Socket): void {
    const server = connect({ port: Number(this.target.port), host: this.target.hostname });
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', () => {
        this.open.delete(socket);
        cut();
      });
    }
    const session = new ProxiedSession(client, server, (faults, texts) => this.take(faults, texts));
    client.on('data', (chunk) => session.fromClient(chunk));
    server.on('data', (chunk) => session.fromServer(chunk));
  }

  /** The fault that a statement meets, which nobody else meets then. */
  private take(faults: readonly Fault[], texts: readonly string[]): boolean {
    const { armed } = this;
    if (armed === undefined || !faults.includes(armed.fault)) return false;
    if (!texts.some((text) => armed.statement.test(text))) return false;
    this.armed = undefined;
    armed.done();
    return true;
  }
}

type Take = (faults: readonly Fault[], texts: readonly string[]) => boolean;

/** One connection: which statements its transaction has seen, and what becomes of it. */
class ProxiedSession {
  private started = false;
  private pending = Buffer.alloc(0);
  private readonly named = new Map<string, string>();
  private seen: string[] = [];
  /** A statement that was sent to be prepared. It waits for what is done with it, so that a fault is met as a whole. */
  private parse: Buffer | undefined;
  /** From a statement that failed on, what follows up to the end of its turn is for nobody. */
  private skipping = false;
  private mute = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly take: Take,
  ) {}

  fromClient(chunk: Buffer): void {
    this.pending = Buffer.concat([this.pending, chunk]);
    for (;;) {
      // The first message has no type: it names the user and the database.
      const head = this.started ? TYPE_BYTES : 0;
      if (this.pending.length < head + LENGTH_BYTES) return;
      const size = head + this.pending.readUInt32BE(head);
      if (this.pending.length < size) return;
      const message = this.pending.subarray(0, size);
      this.pending = Buffer.from(this.pending.subarray(size));
      if (this.started) this.message(message);
      else this.server.write(message);
      this.started = true;
    }
  }

  fromServer(chunk: Buffer): void {
    // Whatever answers a muted COMMIT says that it is done.
    if (this.mute) this.server.destroy();
    else this.client.write(chunk);
  }

  private message(message: Buffer): void {
    const type = String.fromCharCode(message[0] ?? 0);
    const body = message.subarray(TYPE_BYTES + LENGTH_BYTES);
    if (this.skipping) {
      if (type === 'S') {
        this.skipping = false;
        this.client.write(DISK_FULL);
      }
      return;
    }
    const text = this.textOf(type, body);
    const { parse } = this;
    this.parse = undefined;
    if (text !== null && this.begins(text)) return;
    if (parse !== undefined) this.server.write(parse);
    if (type === 'P') this.parse = message;
    else this.server.write(message);
  }

  /** Notes a statement; true when it is not to be passed on. */
  private begins(text: string): boolean {
    if (/^BEGIN/i.test(text)) this.seen = [];
    if (/^COMMIT/i.test(text)) {
      if (this.take(['cut before COMMIT'], this.seen)) {
        this.client.destroy();
        return true;
      }
      this.mute = this.take(['cut after COMMIT'], this.seen);
      return false;
    }
    this.seen.push(text);
    this.skipping = this.take(['disk full'], [text]);
    return this.skipping;
  }

  /** The text of a statement that is about to run; null for every other message. */
  private textOf(type: string, body: Buffer): string | null {
    const [first = '', second = ''] = body.toString('latin1').split('\0');
    if (type === 'Q') return first;
    if (type === 'P') this.named.set(first, second);
    // Bind: the portal, then the statement that was prepared under a name.
    return type === 'B' ? (this.named.get(second) ?? '') : null;
  }
}

const field = (code: string, text: string): Buffer => Buffer.from(`${code}${text}\0`);
const framed = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(TYPE_BYTES + LENGTH_BYTES);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(LENGTH_BYTES + body.length, TYPE_BYTES);
  return Buffer.concat([head, body]);
};

/** An ErrorResponse, and that the transaction it happened in has failed. */
const DISK_FULL = Buffer.concat([
  framed(
    'E',
    Buffer.concat([
      field('S', 'ERROR'),
      field('V', 'ERROR'),
      field('C', '53100'),
      field('M', 'could not extend file: No space left on device'),
      Buffer.from([0]),
    ]),
  ),
  framed('Z', Buffer.from('E')),
]);
