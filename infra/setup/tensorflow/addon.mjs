import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.mjs';
import { nodeModules, stateFolder } from '../paths.mjs';

const SMOKE_DEADLINE_MS = 120_000;
const smokeTest = fileURLToPath(new URL('smoke-test.cjs', import.meta.url));
const verdictFile = join(stateFolder, 'tensorflow.json');

/** The npm package whose native addon this is about. */
export const packageFolder = join(nodeModules, '@tensorflow', 'tfjs-node');

/** Where the package looks for its addon. Asked the way the package itself asks. */
export function addonFile() {
  const fromPackage = createRequire(join(packageFolder, 'package.json'));
  return fromPackage('@mapbox/node-pre-gyp').find(join(packageFolder, 'package.json'));
}

/** The folder that holds the addon, relative to the package, such as `lib/napi-v8`. */
export function addonFolder() {
  return relative(packageFolder, dirname(addonFile()));
}

/** Trains a tiny model in a process of its own. Returns the version of the TensorFlow library, or throws. */
export async function smokeTestAddon() {
  const output = await runCommand(process.execPath, [smokeTest, packageFolder], {
    deadlineMs: SMOKE_DEADLINE_MS,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  return JSON.parse(output.trim().split('\n').at(-1)).libtensorflow;
}

/**
 * What the last set-up found: `{ backend: 'node' | 'wasm', why, libtensorflow }`. Undefined when nothing was found yet,
 * or Node or the addon are others since.
 */
export function knownVerdict() {
  try {
    const { fingerprint: then, ...verdict } = JSON.parse(readFileSync(verdictFile, 'utf8'));
    return then === fingerprint() ? verdict : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps a verdict for the next start and for the worker. */
export function keepVerdict(verdict) {
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(
    verdictFile,
    `${JSON.stringify({ ...verdict, fingerprint: fingerprint() }, null, 2)}\n`,
  );
  return verdict;
}

/** Changes when this Node or this addon is another than the one that was tried. */
function fingerprint() {
  const addon = statSync(addonFile(), { throwIfNoEntry: false });
  return [
    process.versions.modules,
    process.arch,
    addon?.size ?? 'none',
    addon?.mtimeMs ?? 'none',
  ].join('/');
}
