import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { lstatSync, readlinkSync } from 'node:fs';
import type { IsolationLevel } from '@tidemill/protocol';
import { nextHostUser } from './host-user.js';
import { limitCommand } from './limits.js';
import { type ConfinedProgram, type Sandbox, SandboxError, insidePath } from './sandbox.js';
import { seccompFilter } from './seccomp.js';

/** The user inside: nobody. */
const INSIDE_USER = '65534';
const FILTER_FD = 4;
const NODE_INSIDE = '/app/bin/node';
/** Where a system keeps the libraries Node is linked with. */
const LIBRARY_PATHS = [
  '/lib',
  '/lib32',
  '/lib64',
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/local/lib',
];

export interface BubblewrapOptions {
  /** False keeps the worker's own user on this machine, for a root whose folders no other user can read. */
  readonly changeUser: boolean;
}

/**
 * Namespaces of its own for everything, no capability, no new privileges, a root that is empty but for libraries and the mounts,
 * no network, and a filter on system calls.
 */
export class BubblewrapSandbox implements Sandbox {
  readonly level: IsolationLevel;
  readonly detail: string;
  private readonly filter = seccompFilter();
  /** Versions before 0.8 do not know it; the filter refuses namespaces either way. */
  private readonly knowsDisableUserns = help().includes('--disable-userns');

  constructor(private readonly options: BubblewrapOptions = { changeUser: true }) {
    const isRoot = process.getuid?.() === 0 && !options.changeUser;
    this.level = this.filter === null || isRoot ? 'namespaces' : 'sandbox';
    const filter = this.filter === null ? `no system call filter on ${process.arch}` : 'seccomp';
    this.detail = isRoot
      ? `bubblewrap and ${filter}, but as root: other users cannot read the folder Tidemill lies in`
      : `bubblewrap and ${filter}`;
  }

  start(program: ConfinedProgram): ChildProcess {
    const [command = 'nice', ...prefix] = limitCommand(program.limits);
    const user = this.options.changeUser ? nextHostUser() : null;
    const child = spawn(command, [...prefix, 'bwrap', ...this.arguments(program)], {
      cwd: '/',
      detached: true, // the head of a group of its own, which can be ended as one
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      ...(user === null ? {} : { uid: user, gid: user }),
    });
    const filter = child.stdio[FILTER_FD];
    if (filter === null || filter === undefined || !('write' in filter))
      throw new SandboxError('there is no pipe for the filter');
    filter.on('error', () => undefined); // the program ended before it read the filter; its exit says why
    filter.end(this.filter ?? undefined);
    return child;
  }

  /** The whole command line of bubblewrap, program included. */
  private arguments(program: ConfinedProgram): string[] {
    return [
      '--unshare-all',
      '--unshare-user',
      ...(this.knowsDisableUserns ? ['--disable-userns'] : []),
      ...['--uid', INSIDE_USER, '--gid', INSIDE_USER],
      ...['--cap-drop', 'ALL'],
      ...['--hostname', 'sandbox'],
      '--clearenv',
      '--new-session',
      '--die-with-parent',
      ...LIBRARY_PATHS.flatMap(libraryMount),
      ...['--ro-bind', process.execPath, NODE_INSIDE],
      ...program.mounts.flatMap(({ source, target }) => ['--ro-bind', source, target]),
      ...['--proc', '/proc'],
      ...PROC_MASKS.flatMap((path) => ['--ro-bind-try', path, path]),
      ...['--dev', '/dev'],
      ...['--dir', '/tmp'], // nothing inside is writable: what the program has to say goes through its pipes
      ...['--remount-ro', '/dev'],
      ...['--remount-ro', '/'],
      ...['--chdir', '/tmp'],
      ...Object.entries(program.environment).flatMap(([name, value]) => ['--setenv', name, value]),
      ...(this.filter === null ? [] : ['--seccomp', String(FILTER_FD)]),
      '--',
      NODE_INSIDE,
      ...program.nodeFlags,
      insidePath(program.entry, program.mounts),
      ...program.arguments,
    ];
  }
}

/** What the installed bubblewrap says of itself; nothing when there is none. */
function help(): string {
  const { stdout, error } = spawnSync('bwrap', ['--help'], { encoding: 'utf8', timeout: 5_000 });
  return error === undefined ? stdout : '';
}

/** Settings of the machine that root could write even from a namespace without capabilities. */
const PROC_MASKS = [
  '/proc/sys',
  '/proc/sysrq-trigger',
  '/proc/irq',
  '/proc/bus',
  '/proc/fs',
  '/proc/acpi',
];

function libraryMount(path: string): string[] {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return [];
  return entry.isSymbolicLink()
    ? ['--symlink', readlinkSync(path), path]
    : ['--ro-bind', path, path];
}
