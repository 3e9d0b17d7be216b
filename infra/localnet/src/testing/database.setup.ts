import type { TestProject } from 'vitest/node';
import { type Database, startDatabase } from '../database/start-database.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The maintenance database of the server that this run of the tests shares. */
    databaseAdminUrl: string;
  }
}

/** One server for all projects of a run; vitest calls this once for each project that has files to run. */
let shared: { readonly starting: Promise<Database>; users: number } | undefined;

/** Starts the shared server for a project and returns what releases it. */
export default async function setUpDatabase(project: TestProject): Promise<() => Promise<void>> {
  shared ??= { starting: startDatabase(), users: 0 };
  const mine = shared;
  mine.users += 1;
  const database = await mine.starting;
  project.provide('databaseAdminUrl', database.adminUrl);
  return async () => {
    mine.users -= 1;
    if (mine.users > 0) return;
    shared = undefined;
    await database.stop();
  };
}
