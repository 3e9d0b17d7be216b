import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.mjs';
import { root } from '../paths.mjs';
import { during } from '../say.mjs';
import { addonFile, addonFolder, packageFolder } from './addon.mjs';

const VERSION = '2.15.1';
const PYTHON_TAG = '311';
const SHA256 = '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26';

const DOWNLOAD_DEADLINE_MS = 15 * 60_000;
const UNPACK_DEADLINE_MS = 5 * 60_000;
const COMPILE_DEADLINE_MS = 5 * 60_000;
const unpackScript = fileURLToPath(new URL('unpack.py', import.meta.url));

/** Names what a build is made from. */
export const WHEEL_ORIGIN = `wheel-${VERSION}-${SHA256.slice(0, 12)}`;

/** The wheel holds machine code for this kind of machine only. */
export function wheelFits(platform = process.platform, arch = process.arch) {
  return platform === 'linux' && arch === 'x64';
}

/**
 * Makes the addon in a folder laid out like the package: the TensorFlow library and its C headers out of the Python
 * package `tensorflow-cpu`, and the package's own C++ sources compiled against them.
 */
export async function buildFromWheel(folder) {
  const wheel = await during(`fetching tensorflow-cpu ${VERSION} with pip (207 MB)`, () =>
    download(folder),
  );
  await during('unpacking the TensorFlow library', () => unpack(wheel, join(folder, 'deps')));
  rmSync(dirname(wheel), { recursive: true });
  await during('compiling the TensorFlow addon', () => compile(folder));
}

async function download(folder) {
  const into = join(folder, 'download');
  const which = [
    '--python-version',
    PYTHON_TAG,
    '--implementation',
    'cp',
    '--abi',
    `cp${PYTHON_TAG}`,
  ];
  const what = [
    '--platform',
    'manylinux2014_x86_64',
    '--only-binary=:all:',
    '--no-deps',
    `tensorflow-cpu==${VERSION}`,
  ];
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-cache-dir'];
  await runCommand(
    'python3',
    ['-m', 'pip', 'download', ...quiet, ...which, ...what, '--dest', into],
    {
      deadlineMs: DOWNLOAD_DEADLINE_MS,
    },
  );
  const wheel = join(into, readdirSync(into).find((name) => name.endsWith('.whl')) ?? '');
  const found = await sha256(wheel);
  if (found !== SHA256)
    throw new Error(`${basename(wheel)} has SHA-256 ${found} instead of ${SHA256}`);
  return wheel;
}

async function unpack(wheel, deps) {
  const lib = join(deps, 'lib');
  mkdirSync(lib, { recursive: true });
  await runCommand('python3', [unpackScript, wheel, deps], { deadlineMs: UNPACK_DEADLINE_MS });
  // The linker looks for the plain names; at run time the numbered ones are used.
  symlinkSync('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
}

async function compile(folder) {
  const headers = createRequire(join(root, 'package.json'))('node-api-headers').include_dir;
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) =>
    join(packageFolder, 'binding', name),
  );
  const deps = join(folder, 'deps');
  const target = join(folder, addonFolder(), basename(addonFile()));
  mkdirSync(dirname(target), { recursive: true });
  const language = ['-std=c++17', '-O2', '-fPIC', '-shared', '-D_GLIBCXX_USE_CXX11_ABI=1'];
  const napi = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding', `-I${headers}`];
  const tensorflow = [
    `-I${join(deps, 'include')}`,
    `-L${join(deps, 'lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
  ];
  // Found by its place beside the addon, so that the two can be moved together.
  const atRunTime = '-Wl,-rpath,$ORIGIN/../../deps/lib';
  await runCommand(
    process.env.CXX ?? 'g++',
    [...language, ...napi, ...sources, ...tensorflow, atRunTime, '-o', target],
    {
      deadlineMs: COMPILE_DEADLINE_MS,
    },
  );
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
