import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ServerUser } from './server-user.js';

/** Whether the server's user can enter a folder and all folders above it; always true when it runs as the caller. */
export async function isReachable(folder: string, user: ServerUser | undefined): Promise<boolean> {
  if (user === undefined) return true;
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found !== undefined && !mayEnter(found, user)) return false;
    if (at === dirname(at)) return true;
  }
}

function mayEnter(folder: { uid: number; gid: number; mode: number }, user: ServerUser): boolean {
  if (folder.uid === user.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === user.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}
