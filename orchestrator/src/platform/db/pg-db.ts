import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Logger } from 'pino';
import { DatabaseUnavailableError, Db, type Tx } from './db.js';

const INT8 = 20;
pg.types.setTypeParser(INT8, BigInt);

/** Deadlocks and serialization failures, which the same transaction survives when it runs again. */
const RETRYABLE = new Set(['40001', '40P01']);
/** The server and this client disagree on what is prepared on their connection, as behind a pooler: it is of no use any more. */
const FORGOTTEN = new Set(['26000', '42P05']);
const MAX_TRIES = 4;
/** Classes of errors in which the server went away: connection failures, shutdowns, crash recovery. */
const GONE = /^(08|57P)/;
/** The class of errors in which it is there and has no room: disk full, memory, connections. The transaction is undone. */
const NO_ROOM = /^53/;
/** A statement that ran out of its time, waiting for a lock as a rule: the transaction is undone, and may go better later. */
const OUT_OF_TIME = new Set(['57014', '55P03']);

export interface PgOptions {
  readonly url: string;
  readonly role: string;
  readonly max: number;
  readonly name: string;
}

/** PostgreSQL behind a pool whose connections have taken a role and a time limit for every statement. */
export class PgDb extends Db {
  readonly pool: pg.Pool;

  constructor(options: PgOptions, log: Logger) {
    super();
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.max,
      application_name: `tidemill-${options.name}`,
      connectionTimeoutMillis: 5_000,
      // Plans made once on empty tables scan them for ever after, so every statement is planned for its arguments; and the
      // stages look up some hundred rows by key, for which a scan of the whole table looks cheap until it has a million rows.
      options: `-c role=${options.role} -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c jit=off`,
    });
    // Without a listener the process ends when the database goes away.
    this.pool.on('error', (err) => log.warn({ err }, 'database connection lost'));
    // The pool hears idle connections only. One that is lost between two statements of a transaction fails the next of them.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return retried(() => run<R>(this.pool, text, values));
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return retried(() => this.once(work));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken = false;
    try {
      await client.query('BEGIN');
      const result = await work({ query: (text, values = []) => run(client, text, values) });
      await client.query('COMMIT');
      return result;
    } catch (cause) {
      broken = isGone(cause) || FORGOTTEN.has(codeOf(cause));
      if (!broken) {
        await client.query('ROLLBACK').catch(() => {
          broken = true;
        });
      }
      throw cause;
    } finally {
      client.release(broken);
    }
  }
}

/** A statement by itself is a transaction too, and is chosen to end a deadlock like one. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (cause) {
      if (tries === MAX_TRIES || !mayRunAgain(codeOf(cause))) throw asUnavailable(cause);
    }
  }
}

const mayRunAgain = (code: string): boolean => RETRYABLE.has(code) || FORGOTTEN.has(code);

const names = new Map<string, string>();

/** Statements are prepared once a connection, under the digest of their text. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
    names.set(text, name);
  }
  return name;
}

async function run<R extends object>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<R[]> {
  const result = await on.query<R & pg.QueryResultRow>({
    name: nameOf(text),
    text,
    values: values.map(literalOf),
  });
  return result.rows;
}

function codeOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
}

function isGone(cause: unknown): boolean {
  const code = codeOf(cause);
  return (
    GONE.test(code) ||
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    (cause instanceof Error &&
      /terminated|not queryable|timeout exceeded when trying to connect/i.test(cause.message))
  );
}

function asUnavailable(cause: unknown): unknown {
  if (isGone(cause)) return new DatabaseUnavailableError('the database does not answer', { cause });
  if (NO_ROOM.test(codeOf(cause)))
    return new DatabaseUnavailableError('the database has no room', { cause });
  if (OUT_OF_TIME.has(codeOf(cause)) || mayRunAgain(codeOf(cause)))
    return new DatabaseUnavailableError('the database is too busy', { cause });
  return cause;
}

/** Text that an array literal carries without quotes. */
const PLAIN = /^[A-Za-z0-9_:.-]+$/;

/** Lists of texts or bytes as array literals: pg's own spelling of them takes a tenth of a busy process. Other values are left to pg. */
function literalOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items: unknown[] = value;
  const [first] = items;
  if (typeof first !== 'string' && !(first instanceof Uint8Array)) return value;
  return `{${items.map(elementOf).join(',')}}`;
}

function elementOf(item: unknown): string {
  if (typeof item === 'string') return quoted(item);
  if (!(item instanceof Uint8Array)) return 'NULL';
  return `"\\\\x${Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString('hex')}"`;
}

function quoted(text: string): string {
  if (PLAIN.test(text) && text.toUpperCase() !== 'NULL') return text;
  if (!text.includes('"') && !text.includes('\\')) return `"${text}"`;
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
