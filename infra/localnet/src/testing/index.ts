import { inject } from 'vitest';
import {
  type FreshDatabase,
  freshDatabase,
  type FreshDatabaseOptions,
} from '../database/fresh-database.js';
import './database.setup.js'; // For the type of what it provides.

export { type FreshDatabase, type FreshDatabaseOptions } from '../database/fresh-database.js';

/**
 * Creates a database of its own on the server that the run shares; call it in `beforeAll` and drop it in `afterAll`.
 * Only for files that the vitest projects `db` and `e2e` run.
 */
export function testDatabase(options: FreshDatabaseOptions = {}): Promise<FreshDatabase> {
  return freshDatabase(inject('databaseAdminUrl'), options);
}
