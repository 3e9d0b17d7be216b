import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after `remove`, or else when this process ends other than by a kill. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes an empty folder. `open` lets other users reach what lies in it, though not list it. */
export function temporaryFolder({ open = false } = {}): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'tidemill-bench-'));
  folders.add(path);
  if (open) chmodSync(path, 0o711);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      folders.delete(path);
    },
  };
}
