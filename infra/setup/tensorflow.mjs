import { existsSync } from 'node:fs';
import { during, say } from './say.mjs';
import { BUILD_TOOLS, describeMissing, ensureTools } from './system-tools.mjs';
import { addonFile, keepVerdict, knownVerdict, smokeTestAddon } from './tensorflow/addon.mjs';
import { runPackageInstaller } from './tensorflow/installer.mjs';
import {
  copyBuild,
  dropKeptBuild,
  keepBuild,
  removeBuild,
  useKeptBuild,
} from './tensorflow/kept-builds.mjs';
import { buildFromWheel, WHEEL_ORIGIN, wheelFits } from './tensorflow/wheel.mjs';

const INSTALLER_ORIGIN = 'installer';

/**
 * Sees to a TensorFlow for the worker: the native library where it can be had, else WebAssembly, which came with npm.
 * Returns the verdict that the worker reads, `{ backend: 'node' | 'wasm', why, libtensorflow? }`. A machine that had
 * to fall back is tried again only when `again` asks for it.
 */
export async function ensureTensorflow({ again = false } = {}) {
  const known = knownVerdict();
  if (known !== undefined && !(again && known.backend === 'wasm')) return known;
  const faults = [];
  for (const way of WAYS) {
    try {
      if (!(await way.provide({ again }))) continue;
      const libtensorflow = await during(`trying TensorFlow ${way.what}`, smokeTestAddon);
      await way.onSuccess?.();
      return keepVerdict({ backend: 'node', why: way.what, libtensorflow });
    } catch (error) {
      await way.onFault?.();
      faults.push(`${way.what}: ${firstLines(error, 1)}`);
      say(`set-up:   not this way: ${firstLines(error, 3)}`);
    }
  }
  removeBuild();
  return keepVerdict({ backend: 'wasm', why: faults.join('; ') });
}

/** In the order in which they are tried, the quick ones first. `provide` answers whether there is something to try. */
const WAYS = [
  {
    what: 'as it is installed',
    provide: () => existsSync(addonFile()),
  },
  ...[WHEEL_ORIGIN, INSTALLER_ORIGIN].map((origin) => ({
    what: `as kept on this machine (${origin})`,
    provide: () => useKeptBuild(origin),
    onFault: () => dropKeptBuild(origin),
  })),
  {
    what: 'from the installer of its package',
    provide: async () => {
      removeBuild();
      await during('running the installer of tfjs-node', runPackageInstaller);
      return true;
    },
    onSuccess: () => keepBuild(INSTALLER_ORIGIN, copyBuild),
  },
  {
    what: 'built from the Python package',
    provide: async ({ again }) => {
      if (!wheelFits()) return false;
      const missing = await ensureTools(BUILD_TOOLS, { again });
      if (missing.length > 0) throw new Error(describeMissing(missing));
      await keepBuild(WHEEL_ORIGIN, buildFromWheel);
      return useKeptBuild(WHEEL_ORIGIN);
    },
  },
];

function firstLines(error, count) {
  return error.message.split('\n').slice(0, count).join('\n          ');
}
