import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheFolder, stateFolder } from '../paths.mjs';
import { linkTree } from '../link-tree.mjs';
import { addonFile, addonFolder, packageFolder } from './addon.mjs';

/** The parts of the package that npm does not bring: the TensorFlow library and the addon that calls it. */
const parts = () => ['deps', addonFolder()];

/** Where finished builds are kept for other checkouts on this machine, named by what they were made from. */
function keptBuild(origin) {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const name = [`tfjs-node-${version}`, process.platform, process.arch, origin].join('-');
  return join(usableCacheFolder(), 'tensorflow', name);
}

/**
 * Makes a build with `fill`, which gets an empty folder, and keeps it. It gets its name only when it is whole, so
 * several checkouts may do this at once.
 */
export async function keepBuild(origin, fill) {
  const kept = keptBuild(origin);
  const draft = `${kept}.draft-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    await fill(draft);
    if (!existsSync(kept)) renameSync(draft, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error; // Else another checkout kept the same build meanwhile.
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Puts a kept build into the package, sharing its files on disk; false when there is none. */
export function useKeptBuild(origin) {
  const kept = keptBuild(origin);
  if (!existsSync(kept)) return false;
  removeBuild();
  for (const part of parts()) linkTree(join(kept, part), join(packageFolder, part));
  return existsSync(addonFile());
}

/** Copies what the package's own installer brought, for `keepBuild`. */
export function copyBuild(folder) {
  for (const part of parts()) linkTree(join(packageFolder, part), join(folder, part));
}

/** Forgets a kept build that turned out not to work. */
export function dropKeptBuild(origin) {
  rmSync(keptBuild(origin), { recursive: true, force: true });
}

/** Clears the package of a build, whole or half. */
export function removeBuild() {
  for (const part of parts()) rmSync(join(packageFolder, part), { recursive: true, force: true });
}

/** The machine's cache, or a folder of this checkout where that cannot be written. */
function usableCacheFolder() {
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    accessSync(cacheFolder(), constants.W_OK);
    return cacheFolder();
  } catch {
    return join(stateFolder, 'cache');
  }
}
