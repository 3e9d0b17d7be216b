import { testDatabase } from '@tidemill/localnet/testing';
import { pino } from 'pino';
import { migrate } from '../../platform/db/migrate.js';
import { PgDb } from '../../platform/db/pg-db.js';

/** A database of its own with the network's schema, under each of the roles that meet the trail. */
export interface TrailDatabase {
  readonly url: string;
  /** Owns everything: the attacker whom no privilege stops. */
  readonly superuser: PgDb;
  readonly app: PgDb;
  readonly sequencer: PgDb;
  drop(): Promise<void>;
}

export async function trailDatabase(): Promise<TrailDatabase> {
  const database = await testDatabase({ prepare: { key: 'orchestrator_schema', run: migrate } });
  const log = pino({ level: 'silent' });
  const as = (role: string) => new PgDb({ url: database.url, role, max: 4, name: 'test' }, log);
  const [superuser, app, sequencer] = [as('none'), as('tidemill_app'), as('tidemill_sequencer')];
  return {
    url: database.url,
    superuser,
    app,
    sequencer,
    drop: async () => {
      await Promise.all([superuser, app, sequencer].map((db) => db.close()));
      await database.drop();
    },
  };
}
