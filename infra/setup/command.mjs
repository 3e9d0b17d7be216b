import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const KEPT_OUTPUT = 256 * 1024;
const SHOWN_HEAD = 1_000;
const SHOWN_TAIL = 2_000;

/** A command that failed; the message ends with the first and the last things it said, `output` holds more of them. */
export class CommandError extends Error {
  name = 'CommandError';

  constructor(fault, output) {
    super(`${fault}\n${abridged(output.trim())}`.trim());
    this.output = output;
  }
}

/**
 * Runs a command to its end and returns what it printed. Throws CommandError when it cannot be started, fails, or
 * passes its deadline; everything it started ends with it, and with this process.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ deadlineMs: number, cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>}
 */
export function runCommand(command, args, { deadlineMs, cwd, env }) {
  return new Promise((resolve, reject) => {
    let child = null;
    // First, since a signal may come while the command starts.
    const release = whenThisProcessEnds(() => killGroup(child));
    const stdio = ['ignore', 'pipe', 'pipe'];
    // In a group of its own, so that the deadline reaches its children too.
    child = spawn(command, args, { cwd, env: env ?? process.env, detached: true, stdio });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(child);
    }, deadlineMs);

    let output = '';
    const keep = (chunk) => (output = (output + chunk).slice(-KEPT_OUTPUT));
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);

    const settle = (fault) => {
      clearTimeout(timer);
      release();
      if (fault === undefined) resolve(output);
      else reject(new CommandError(`${command} ${fault}`, output));
    };
    child.once('error', (error) => settle(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      if (late) settle(`was stopped after ${deadlineMs / 1000} s`);
      else settle(code === 0 ? undefined : `failed (${signal ?? `status ${code}`})`);
    });
  });
}

/** The full path of a program on the PATH; undefined when there is none. */
export function findProgram(name, env = process.env) {
  const candidates = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return candidates.map((folder) => join(folder, name)).find(isExecutable);
}

/** Some programs say first what is wrong, others last. */
function abridged(text) {
  if (text.length <= SHOWN_HEAD + SHOWN_TAIL) return text;
  return `${text.slice(0, SHOWN_HEAD)}\n…\n${text.slice(-SHOWN_TAIL)}`;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function killGroup(child) {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A group of its own does not hear an interrupt from the terminal, so it is passed on. */
function whenThisProcessEnds(kill) {
  const atSignal = (signal) => {
    kill();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('exit', kill).once('SIGINT', atSignal).once('SIGTERM', atSignal);
  return () => process.off('exit', kill).off('SIGINT', atSignal).off('SIGTERM', atSignal);
}
