import 'reflect-metadata';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { testDatabase } from '@tidemill/localnet/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, readConfig } from '../../config/env.js';
import { Clock } from '../../platform/clock.js';
import { Db } from '../../platform/db/db.js';
import { migrate } from '../../platform/db/migrate.js';
import { jsonBody } from '../../platform/http/json-body.js';
import { PlatformModule } from '../../platform/platform.module.js';
import { TrailModule } from '../../trail/trail.module.js';

/** The system's time, which a test can move forward. */
class MovableClock extends Clock {
  private aheadMs = 0;

  advance(ms: number): void {
    this.aheadMs += ms;
  }

  nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  monotonicMs(): number {
    return performance.now() + this.aheadMs;
  }
}

/** Some stages of the orchestrator behind a real port, on a database and folder of their own. */
export interface StageHost {
  readonly url: string;
  readonly app: NestExpressApplication;
  readonly db: Db;
  readonly clock: MovableClock;
  readonly dataDir: string;
  stop(): Promise<void>;
}

@Module({})
class ConfigModule {
  static with(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: Config, useValue: config }],
      exports: [Config],
    };
  }
}

export interface StageOptions {
  readonly admins?: readonly string[];
  /** What stands in for a provider, such as smaller limits. */
  readonly overrides?: readonly { readonly provide: unknown; readonly useValue: unknown }[];
  /** Settings beyond the usual ones; these win. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the application needs before it listens. */
  readonly prepare?: (app: NestExpressApplication) => void;
}

export async function startStages(
  stages: readonly Type[],
  { admins = [], overrides = [], env = {}, prepare = () => undefined }: StageOptions = {},
): Promise<StageHost> {
  const database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemill-stage-'));
  const config = configFor(database.url, dataDir, admins, env);
  const clock = new MovableClock();
  const building = Test.createTestingModule({
    imports: [ConfigModule.with(config), PlatformModule, TrailModule, ...stages],
  });
  for (const { provide, useValue } of [{ provide: Clock, useValue: clock }, ...overrides]) {
    building.overrideProvider(provide).useValue(useValue);
  }
  const testing = await building.compile();
  const app = testing.createNestApplication<NestExpressApplication>({
    bodyParser: false,
    logger: ['error', 'fatal'],
  });
  app.set('query parser', 'simple');
  app.use(...jsonBody());
  prepare(app);
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    app,
    db: app.get(Db),
    clock,
    dataDir,
    stop: async () => {
      await app.close();
      await database.drop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** Settings of a network that only a test knows. */
export function configFor(
  databaseUrl: string,
  dataDir: string,
  admins: readonly string[],
  env: Readonly<Record<string, string>>,
): Config {
  const read = readConfig({
    TIDEMILL_DATABASE_URL: databaseUrl,
    TIDEMILL_NETWORK: 'testnet',
    TIDEMILL_AUDIENCE: 'tidemill.test',
    TIDEMILL_DATA_DIR: dataDir,
    TIDEMILL_KEY_FILE: join(dataDir, 'orchestrator.json'),
    TIDEMILL_ADMIN_WALLETS: admins.join(','),
    TIDEMILL_LOG_LEVEL: 'silent',
    TIDEMILL_DATABASE_POOL: '6',
    ...env,
  });
  if (!read.ok) throw new Error(read.faults.join('; '));
  return read.config;
}
