import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Tx } from './db/db.js';
import { Wakeups, type Channel } from './wakeups.js';

const RECONNECT_MS = 1_000;

/** LISTEN/NOTIFY between stages and between replicas of the orchestrator. */
export class PgWakeups extends Wakeups implements OnApplicationBootstrap, OnApplicationShutdown {
  private client: pg.Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly log: Logger,
  ) {
    super();
  }

  async notify(tx: Tx, ...channels: Channel[]): Promise<void> {
    await tx.query('SELECT pg_notify($1, c) FROM unnest($2::text[]) AS c', [CHANNEL, channels]);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.listen();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined); // the connection may be gone already
  }

  private async listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'tidemill-wakeups',
      keepAlive: true,
    });
    client.on('notification', ({ payload }) => this.local(payload as Channel)); // only `notify` writes to the channel
    client.on('error', (err) => this.log.warn({ err }, 'wake-ups lost, sweeps go on'));
    client.on('end', () => this.later());
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.client = client;
    } catch (err) {
      this.log.warn({ err }, 'wake-ups not available, sweeps go on');
      client.removeAllListeners('end');
      await client.end().catch(() => undefined);
      this.later();
    }
  }

  private later(): void {
    if (this.stopped) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.listen(), RECONNECT_MS);
  }
}

const CHANNEL = 'tidemill';
