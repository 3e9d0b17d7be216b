import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VENV = join(ROOT, '.tidemill', 'python');

/**
 * The Python that the set-up made, or null. The reason is printed when there is none; on CI it is a failure.
 *
 * @throws Error on CI
 */
export function pythonOrReason(): string | null {
  const fault = faultOf();
  if (fault === null) return join(VENV, 'bin', 'python');
  const reason = `the examples in Python need what is not here: ${fault}`;
  if (process.env['CI'] !== undefined) throw new Error(reason);
  process.stderr.write(`${reason}; they are not run\n`);
  return null;
}

function faultOf(): string | null {
  const file = join(VENV, 'verdict.json');
  if (!existsSync(file)) return 'the set-up has not run (npm run setup)';
  return (JSON.parse(readFileSync(file, 'utf8')) as { fault: string | null }).fault;
}
