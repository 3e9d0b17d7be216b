import {
  Global,
  Module,
  type FactoryProvider,
  type InjectionToken,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, Reflector } from '@nestjs/core';
import { nodeVerifier, createKeyFile, loadSigner, type Signer } from '@tidemill/protocol/node';
import { existsSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { Config } from '../config/env.js';
import { Clock, SystemClock } from './clock.js';
import { Db, SequencerDb } from './db/db.js';
import { PgDb } from './db/pg-db.js';
import { PgStageCursors } from './db/pg-stage-cursors.js';
import { StageCursors } from './db/stage-cursors.js';
import { HealthController } from './health/health.controller.js';
import { Absences } from './http/absences.js';
import { Authenticators } from './http/caller.js';
import { LastConnections } from './http/last-connections.js';
import { OperationGuard } from './http/operation.guard.js';
import { ProblemFilter } from './http/problem.filter.js';
import { Ids, RandomIds } from './ids.js';
import { Peers } from './limits/peers.js';
import { RateLimits } from './limits/rate-limits.js';
import { Loops } from './loop.js';
import { Telemetry } from './telemetry/telemetry.js';
import { PgWakeups } from './pg-wakeups.js';
import { Wakeups } from './wakeups.js';

/** DI tokens of what has no class of ours. */
export const LOGGER = Symbol('logger');
export const SIGNER = Symbol('signer');
export const VERIFY_SIGNATURE = Symbol('verify signature');

const SEQUENCER_CONNECTIONS = 2;

const provide = (
  token: InjectionToken,
  useFactory: FactoryProvider['useFactory'],
  inject: InjectionToken[],
): Provider => ({
  provide: token,
  useFactory,
  inject,
});

/**
 * Platform: what serves every stage and knows none of them.
 *
 * Reads:    the configuration.
 * Writes:   nothing of its own.
 * Promises: one clock, one id source, one pool a role; every request is checked against the route table before a controller sees it.
 */
@Global()
@Module({
  controllers: [HealthController],
  providers: [
    provide(
      LOGGER,
      (config: Config) => pino({ level: config.logLevel, base: { app: 'orchestrator' } }),
      [Config],
    ),
    { provide: Clock, useClass: SystemClock },
    provide(Ids, (clock: Clock) => new RandomIds(clock), [Clock]),
    Telemetry,
    provide(
      Db,
      (config: Config, log: Logger) =>
        new PgDb(
          { url: config.databaseUrl, role: 'tidemill_app', max: config.databasePool, name: 'app' },
          log,
        ),
      [Config, LOGGER],
    ),
    provide(
      SequencerDb,
      (config: Config, log: Logger) =>
        new PgDb(
          {
            url: config.databaseUrl,
            role: 'tidemill_sequencer',
            max: SEQUENCER_CONNECTIONS,
            name: 'sequencer',
          },
          log,
        ),
      [Config, LOGGER],
    ),
    { provide: StageCursors, useClass: PgStageCursors },
    provide(
      Loops,
      (clock: Clock, log: Logger, telemetry: Telemetry) => new Loops(clock, log, telemetry),
      [Clock, LOGGER, Telemetry],
    ),
    provide(Wakeups, (config: Config, log: Logger) => new PgWakeups(config.databaseUrl, log), [
      Config,
      LOGGER,
    ]),
    provide(Absences, (config: Config, clock: Clock) => new Absences(config, clock), [
      Config,
      Clock,
    ]),
    Authenticators,
    LastConnections,
    provide(Peers, (config: Config) => new Peers(config.trustedProxies), [Config]),
    RateLimits,
    provide(SIGNER, (config: Config) => openSigner(config.keyFile), [Config]),
    { provide: VERIFY_SIGNATURE, useFactory: () => nodeVerifier() },
    provide(APP_FILTER, (log: Logger) => new ProblemFilter(log), [LOGGER]),
    provide(
      APP_GUARD,
      (reflector: Reflector, authenticators: Authenticators, rates: RateLimits) =>
        new OperationGuard(reflector, authenticators, rates),
      [Reflector, Authenticators, RateLimits],
    ),
  ],
  exports: [
    LOGGER,
    Clock,
    Ids,
    Telemetry,
    Db,
    SequencerDb,
    StageCursors,
    Loops,
    Wakeups,
    Absences,
    Authenticators,
    Peers,
    RateLimits,
    SIGNER,
    VERIFY_SIGNATURE,
  ],
})
export class PlatformModule implements OnApplicationShutdown {
  constructor(
    private readonly db: Db,
    private readonly sequencerDb: SequencerDb,
  ) {}

  /** Last of all: loops have stopped in beforeApplicationShutdown. */
  async onApplicationShutdown(): Promise<void> {
    for (const db of [this.db, this.sequencerDb]) if (db instanceof PgDb) await db.close();
  }
}

function openSigner(file: string): Signer {
  return existsSync(file) ? loadSigner(file) : createKeyFile(file);
}
