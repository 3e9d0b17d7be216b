import { join } from 'node:path';

/** Where the command keeps its files: TIDEMILL_CONFIG_DIR, or `tidemill` in the XDG folder for configuration. */
export function configDir(env: NodeJS.ProcessEnv, home: string): string {
  if (env['TIDEMILL_CONFIG_DIR']) return env['TIDEMILL_CONFIG_DIR'];
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'tidemill');
}
