import { statSync } from 'node:fs';
import type { ReadOnlyMount } from './sandbox.js';

/**
 * Node's own permission model: no files but the mounts, no child processes. It binds JavaScript only, so it is what is left when
 * nothing stronger is to be had.
 */
export function permissionFlags(
  mounts: readonly ReadOnlyMount[],
  known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  const flag = ['--permission', '--experimental-permission'].find((name) => known.has(name));
  if (flag === undefined) return [];
  // one form for each place: Node 20 stops with an assertion when a path and what lies below it are both given
  const places = mounts.map(({ source }) =>
    statSync(source).isDirectory() ? `${source}/*` : source,
  );
  return [
    flag,
    '--allow-addons',
    ...['/proc/*', ...places].map((place) => `--allow-fs-read=${place}`),
  ];
}
