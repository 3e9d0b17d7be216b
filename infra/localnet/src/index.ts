export {
  type Database,
  startDatabase,
  type StartDatabaseOptions,
} from './database/start-database.js';
export { DatabaseInUseError, DatabaseStartError } from './database/errors.js';
export {
  createDatabase,
  type CreateDatabaseOptions,
  dropDatabase,
} from './database/fresh-database.js';
export { freePort } from './free-port.js';
