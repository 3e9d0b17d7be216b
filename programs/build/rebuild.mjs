// Builds the settlement program from its sources and compares the result with what is committed.
//
//   node programs/build/rebuild.mjs            compares; says plainly when it could not
//   node programs/build/rebuild.mjs --write    takes the result as the new committed program
//
// Exit status: 0 the same, or not compared because the tools are not there; 1 different.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { toolVersions } from './tool-versions.mjs';

const here = import.meta.dirname;
const committed = join(here, '..', 'client', 'program');
const sidecarFile = join(committed, 'settlement.build.json');
const BUILD_MS = 600_000;

const versions = toolVersions();
if (versions === null) {
  console.log('not compared: the tools are not here (bash programs/build/install-tools.sh)');
} else if (process.argv.includes('--write')) {
  write();
} else {
  compare();
}

function compare() {
  const sidecar = JSON.parse(readFileSync(sidecarFile, 'utf8'));
  const differing = Object.keys(sidecar.tools).filter(
    (tool) => sidecar.tools[tool] !== versions[tool],
  );
  if (differing.length > 0) {
    const words = differing.map(
      (tool) => `${tool} ${versions[tool]}, recorded ${sidecar.tools[tool]}`,
    );
    console.log(`not compared: other tools would make other bytes (${words.join('; ')})`);
    return;
  }
  for (const [sbpf, recorded] of Object.entries(sidecar.sha256)) {
    const hash = sha256(build(sbpf));
    const same = hash === recorded;
    console.log(
      `settlement.${sbpf}.so: ${same ? 'the same' : `different: ${hash}, recorded ${recorded}`}`,
    );
    if (!same) process.exitCode = 1;
  }
}

function write() {
  const hashes = {};
  for (const sbpf of ['v3', 'v0']) {
    const bytes = build(sbpf);
    writeFileSync(join(committed, `settlement.${sbpf}.so`), bytes);
    hashes[sbpf] = sha256(bytes);
  }
  writeFileSync(sidecarFile, `${JSON.stringify({ tools: versions, sha256: hashes }, null, 2)}\n`);
}

function build(sbpf) {
  const folder = mkdtempSync(join(tmpdir(), 'settlement-build-'));
  try {
    const out = join(folder, 'settlement.so');
    execFileSync('bash', [join(here, 'build.sh'), sbpf, out], {
      stdio: 'inherit',
      timeout: BUILD_MS,
    });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
