import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { findProgram, runCommand } from './command.mjs';
import { stateFolder } from './paths.mjs';
import { during, say } from './say.mjs';

const UPDATE_DEADLINE_MS = 3 * 60_000;
const INSTALL_DEADLINE_MS = 10 * 60_000;
const APT = ['-o', 'DPkg::Lock::Timeout=120', '-qq'];

/** What the sandbox of a job needs. `package` is the Debian package, `without` says what is lost. */
export const SANDBOX_TOOLS = [
  {
    program: 'bwrap',
    package: 'bubblewrap',
    without: 'no sandbox keeps a job from the files and the network of this machine',
  },
  {
    program: 'prlimit',
    package: 'util-linux',
    without: 'the kernel does not limit the memory and the files of a job',
  },
];

/** What it takes to build the native TensorFlow here. */
export const BUILD_TOOLS = [
  {
    program: 'python3',
    package: 'python3',
    without: 'the TensorFlow libraries cannot be unpacked',
  },
  {
    program: 'pip',
    package: 'python3-pip',
    without: 'the TensorFlow libraries cannot be fetched',
    isThere: () => succeeds('python3', ['-m', 'pip', '--version']),
  },
  { program: 'g++', package: 'g++', without: 'the TensorFlow addon cannot be compiled' },
];

/**
 * Installs what is missing with apt-get, as root on Debian and its relatives: at once when nobody is there to ask, else
 * after asking. What was refused or did not succeed is tried a second time only when `again` asks for it. Returns the
 * tools that are still missing; it is for the caller to say what that means.
 */
export async function ensureTools(tools, { again = false } = {}) {
  const missing = await missingOf(tools);
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return missing;
  const packages = packagesOf(missing);
  if (!again && wasTried(packages)) return missing;
  rememberTried(packages);
  if (!(await agreed(packages))) return missing;
  try {
    await during(`installing ${packages.join(' ')} with apt-get`, () => aptInstall(packages));
  } catch (error) {
    say(`set-up:   apt-get did not succeed: ${error.message}`);
  }
  return missingOf(tools);
}

/** What is lost without these tools and how to get them, as one sentence. */
export function describeMissing(tools) {
  const lost = tools.map(({ program, without }) => `${program} is missing (without it ${without})`);
  return `${lost.join(', ')}; on Debian or Ubuntu: sudo apt-get install ${packagesOf(tools).join(' ')}`;
}

function packagesOf(tools) {
  return tools.map((tool) => tool.package);
}

const triedFile = join(stateFolder, 'tried-packages.json');

function tried() {
  return existsSync(triedFile) ? JSON.parse(readFileSync(triedFile, 'utf8')) : [];
}

function wasTried(packages) {
  return packages.every((name) => tried().includes(name));
}

function rememberTried(packages) {
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(triedFile, JSON.stringify([...new Set([...tried(), ...packages])]));
}

async function missingOf(tools) {
  const found = await Promise.all(
    tools.map(({ program, isThere }) => isThere?.() ?? findProgram(program) !== undefined),
  );
  return tools.filter((_, index) => !found[index]);
}

async function succeeds(command, args) {
  try {
    await runCommand(command, args, { deadlineMs: 30_000 });
    return true;
  } catch {
    return false; // Not there, or there and broken: both mean that it cannot be used.
  }
}

async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runCommand('apt-get', [...APT, 'update'], { deadlineMs: UPDATE_DEADLINE_MS, env });
  const install = [...APT, 'install', '--yes', '--no-install-recommends', ...packages];
  await runCommand('apt-get', install, { deadlineMs: INSTALL_DEADLINE_MS, env });
}

async function agreed(packages) {
  const { stdin, stdout, env } = process;
  if (!stdin.isTTY || !stdout.isTTY || env.CI === 'true') return true;
  const prompt = createInterface({ input: stdin, output: stdout });
  const answer = await prompt.question(
    `set-up: install ${packages.join(' ')} with apt-get? [Y/n] `,
  );
  prompt.close();
  return !/^\s*n/i.test(answer);
}
