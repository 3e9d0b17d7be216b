import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { whileLocked } from './lock.mjs';
import { nodeFault } from './node-version.mjs';
import { ensureNpmPackages } from './npm-packages.mjs';
import { root } from './paths.mjs';
import { ensurePostgresLinks } from './postgres-links.mjs';
import { ensurePython } from './python.mjs';
import { say } from './say.mjs';
import { describeMissing, ensureTools, SANDBOX_TOOLS } from './system-tools.mjs';
import { ensureTensorflow } from './tensorflow.mjs';

/**
 * Sets up what this checkout and this machine lack, and says what it does. Harmless when repeated: when nothing is
 * missing it takes a fraction of a second. Then does `then` before anybody else may set up the same checkout.
 * Under CI=true a missing protection, native TensorFlow or Python is an error instead of a warning.
 */
export async function setUp({ again = false, then = async () => {}, env = process.env } = {}) {
  const fault = nodeFault();
  if (fault !== undefined) throw new Error(fault);
  await whileLocked(join(root, '.tidemill', 'set-up.lock'), async () => {
    await ensureNpmPackages();
    await ensurePostgresLinks();
    const warnings = [
      ...(await sandboxWarnings(again)),
      ...(await tensorflowWarnings(again)),
      ...(await pythonWarnings(again)),
    ];
    for (const warning of warnings) say(`set-up: ${warning}`);
    if (warnings.length > 0 && env.CI === 'true') {
      throw new Error('the set-up is not complete, and with CI=true it has to be');
    }
    await then();
  });
}

async function sandboxWarnings(again) {
  const missing = await ensureTools(SANDBOX_TOOLS, { again });
  return missing.length === 0 ? [] : [describeMissing(missing)];
}

async function tensorflowWarnings(again) {
  const { backend, why } = await ensureTensorflow({ again });
  if (backend === 'node') return [];
  return [
    `TensorFlow runs as WebAssembly here, several times slower. Tried: ${why}. "npm run setup" tries again`,
  ];
}

async function pythonWarnings(again) {
  const fault = await ensurePython({ again });
  if (fault === null) return [];
  return [
    `the examples in Python and the description of the API cannot be tested here: ${fault}. It takes python3 with its venv module`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp({ again: true });
    say('set-up: done');
  } catch (error) {
    say(`set-up failed: ${error.message}`);
    process.exitCode = 1;
  }
}
