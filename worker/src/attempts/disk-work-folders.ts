import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkFolders } from './work-folders.js';

/** Work folders below `parent`. What an earlier process left there is deleted first. */
export async function diskWorkFolders(parent: string): Promise<WorkFolders> {
  await rm(parent, { recursive: true, force: true });
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return {
    async make(attemptId) {
      const path = join(parent, attemptId);
      await mkdir(path, { mode: 0o700 });
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    },
  };
}
