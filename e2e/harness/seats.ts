import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningProcess } from '@tidemill/localnet';
import type { Signer } from '@tidemill/protocol/node';
import pg from 'pg';
import { Balancer } from './balancer.js';
import { type Door, launchOrchestrator } from './orchestrator.js';
import { freshSigner } from './signer.js';

export interface SeatsOptions {
  readonly databaseUrl: string;
  readonly seats: number;
  /** The program, when it is not the one that is built. */
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Orchestrators side by side: one database, one key, one folder, one door. Each seat has one process at a time. */
export class Seats implements Door {
  readonly admin: Signer = freshSigner();
  readonly rows: pg.Pool;
  private readonly running: (RunningProcess | undefined)[] = [];

  private constructor(
    private readonly options: SeatsOptions,
    private readonly balancer: Balancer,
    readonly ports: readonly number[],
    /** Where keys, files and logs lie. */
    readonly dir: string,
  ) {
    this.rows = new pg.Pool({ connectionString: options.databaseUrl, max: 4 });
    this.rows.on('error', () => undefined); // Idle connections end when a test takes the database away.
  }

  static async open(options: SeatsOptions): Promise<Seats> {
    const ports = [];
    for (let seat = 0; seat < options.seats; seat += 1) ports.push(await freePort());
    const dir = await mkdtemp(join(tmpdir(), 'tidemill-e2e-seats-'));
    return new Seats(options, await Balancer.listen(ports), ports, dir);
  }

  get audience(): string {
    return this.balancer.address;
  }

  get url(): string {
    return `http://${this.audience}`;
  }

  /** The seat itself, past the door. */
  at(seat: number): Door {
    return {
      url: `http://127.0.0.1:${this.ports[seat]}`,
      audience: this.audience,
      admin: this.admin,
    };
  }

  logFile(seat: number): string {
    return join(this.dir, `seat-${seat}.log`);
  }

  /** What the seat's processes have logged so far. */
  log(seat: number): Promise<string> {
    return readFile(this.logFile(seat), 'utf8').catch(() => '');
  }

  /** Starts a process in a seat whose last one has ended, and waits until it takes requests. */
  async start(seat: number, env?: Readonly<Record<string, string>>): Promise<RunningProcess> {
    await this.running[seat]?.ended;
    const started = await launchOrchestrator({
      door: this,
      port: this.ports[seat] ?? 0,
      databaseUrl: this.options.databaseUrl,
      dir: this.dir,
      logFile: this.logFile(seat),
      main: this.options.main,
      env: { ...this.options.env, ...env },
    });
    this.running[seat] = started;
    return started;
  }

  /** The seat's last process. */
  process(seat: number): RunningProcess | undefined {
    return this.running[seat];
  }

  /** Starts a process in every seat that has none. */
  async startAll(): Promise<void> {
    // The first one migrates the database and makes the key.
    for (let seat = 0; seat < this.options.seats; seat += 1)
      if (this.running[seat]?.signal('SIGCONT') !== true) await this.start(seat);
  }

  async stop(): Promise<void> {
    for (const one of this.running) await one?.stop();
    await this.balancer.close();
    await this.rows.end();
    await rm(this.dir, { recursive: true, force: true });
  }
}
