import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The app is not installed beside this package, or was not built. */
export class AppMissingError extends Error {
  override readonly name = 'AppMissingError';
}

/** A program of an app, the first unless another is named; found by its package and never imported: an app runs in a process of its own. */
export function appMain(
  name: '@tidemill/orchestrator' | '@tidemill/worker',
  program?: string,
): string {
  let manifest: string;
  try {
    manifest = require.resolve(`${name}/package.json`);
  } catch (cause) {
    throw new AppMissingError(`${name} is not installed: npm run setup`, { cause });
  }
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Record<string, string> };
  const named = program === undefined ? Object.values(bin)[0] : bin[program];
  const main = join(dirname(manifest), named ?? 'dist/main.js');
  if (!existsSync(main)) throw new AppMissingError(`${main} is missing: npm run build`);
  return main;
}
