import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ReadOnlyMount } from '../sandbox/sandbox.js';

const Manifest = z.object({
  name: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** The packages the child needs; theirs are found by following their manifests. */
const NEEDED = [
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tidemill/protocol',
  'zod',
];

/** The folder of this package: the nearest one above this file that has a manifest. */
export function workerFolder(from: string = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(from, 'package.json')) ? from : workerFolder(dirname(from));
}

/**
 * What a child may read: the built worker, and every package it needs with all they need, each at one fixed place. Nothing else
 * that happens to lie in node_modules is seen.
 */
export function codeMounts(worker: string = workerFolder()): ReadOnlyMount[] {
  const mounts: ReadOnlyMount[] = [
    { source: join(worker, 'dist'), target: '/app/worker/dist' },
    { source: join(worker, 'package.json'), target: '/app/worker/package.json' },
  ];
  const found = new Set<string>();
  const wanted = NEEDED.map((name) => ({ name, from: worker }));
  for (const { name, from } of wanted) {
    if (found.has(name)) continue;
    const folder = packageFolder(name, from);
    if (folder === null) continue; // an optional package that is not there
    found.add(name);
    const target = `/app/node_modules/${name}`;
    // of our own packages only what runs: their folders hold tests, and links back to everything
    if (name.startsWith('@tidemill/'))
      mounts.push(
        ...['dist', 'package.json'].map((part) => ({
          source: join(folder, part),
          target: `${target}/${part}`,
        })),
      );
    else mounts.push({ source: folder, target });
    const { dependencies, optionalDependencies } = Manifest.parse(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies }))
      // one that lies inside the package's own folder comes with it
      if (!existsSync(join(folder, 'node_modules', dependency)))
        wanted.push({ name: dependency, from: folder });
  }
  return mounts;
}

/** Where Node would find a package from a folder, links resolved; null when it would not. */
function packageFolder(name: string, from: string): string | null {
  const candidate = join(from, 'node_modules', name);
  if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
  const parent = dirname(from);
  return parent === from ? null : packageFolder(name, parent);
}
