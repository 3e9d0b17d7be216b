// Builds the program again and again, each time with one check taken out, so that the tests can show that they would see it.
//
//   node programs/build/mutants.mjs            builds all of them into programs/client/mutants, packed
//   node programs/build/mutants.mjs NAME...    builds only these
//
// A mutant is a change of the text of a copy: neither the sources nor the default build know of it. `mutants.json` has them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { sourceHash } from './source-hash.mjs';
import { toolVersions } from './tool-versions.mjs';

const here = import.meta.dirname;
const programs = join(here, '..');
const out = join(programs, 'client', 'mutants');
const sidecar = join(out, 'mutants.build.json');
const BUILD_MS = 600_000;

const tools = toolVersions();
if (tools === null) {
  console.log('not built: the tools are not here (bash programs/build/install-tools.sh)');
} else {
  const mutants = JSON.parse(readFileSync(join(here, 'mutants.json'), 'utf8'));
  const wanted = process.argv.slice(2);
  mkdirSync(out, { recursive: true });
  const hashes = existsSync(sidecar) ? JSON.parse(readFileSync(sidecar, 'utf8')).sha256 : {};
  const target = mkdtempSync(join(tmpdir(), 'settlement-mutants-'));
  try {
    for (const mutant of mutants) {
      if (wanted.length > 0 && !wanted.includes(mutant.name)) continue;
      const bytes = build(mutant, target);
      writeFileSync(join(out, `${mutant.name}.so.gz`), gzipSync(bytes, { level: 9 }));
      hashes[mutant.name] = createHash('sha256').update(bytes).digest('hex');
    }
  } finally {
    rmSync(target, { recursive: true });
  }
  const sha256 = Object.fromEntries(mutants.map(({ name }) => [name, hashes[name]]));
  const recorded = { tools, sources: sourceHash(join(programs, 'settlement')), sha256 };
  writeFileSync(sidecar, `${JSON.stringify(recorded, null, 2)}\n`);
}

/** The dependencies are compiled once for all: only the program itself changes. */
function build(mutant, target) {
  const copy = join(target, 'programs');
  rmSync(copy, { recursive: true, force: true });
  for (const name of ['Cargo.toml', 'Cargo.lock', 'settlement', 'build']) {
    cpSync(join(programs, name), join(copy, name), { recursive: true });
  }
  for (const change of [mutant, mutant.also].filter(Boolean))
    apply(change, join(copy, 'settlement', 'src'));
  const so = join(target, 'mutant.so');
  execFileSync('bash', [join(copy, 'build', 'build.sh'), 'v3', so], {
    stdio: ['ignore', 'inherit', 'pipe'],
    timeout: BUILD_MS,
    env: { ...process.env, SBF_TARGET: join(target, 'built') },
  });
  return readFileSync(so);
}

function apply({ file, find, replace }, sources) {
  const path = join(sources, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`${file} does not say just once: ${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}
