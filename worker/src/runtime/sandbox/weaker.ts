import { spawn, type ChildProcess } from 'node:child_process';
import type { IsolationLevel } from '@tidemill/protocol';
import { nextHostUser } from './host-user.js';
import { limitCommand } from './limits.js';
import { permissionFlags } from './permission-flags.js';
import type { ConfinedProgram, Sandbox } from './sandbox.js';

/** Own namespaces for network, processes, users and messages; the files of the machine stay visible to an ordinary user. */
export class NamespacesSandbox implements Sandbox {
  readonly level: IsolationLevel = 'namespaces';
  readonly detail =
    'unshare: no network, no other processes, but no filter and the files every user can read';

  start(program: ConfinedProgram): ChildProcess {
    const namespaces = [
      '--user',
      '--map-current-user',
      '--net',
      '--ipc',
      '--uts',
      '--pid',
      '--fork',
      '--kill-child=KILL',
      '--mount',
      '--mount-proc',
    ];
    return startPlainly(program, ['unshare', ...namespaces, '--']);
  }
}

/** A process of another user with limits and Node's permission model, and nothing more. */
export class ProcessSandbox implements Sandbox {
  readonly level: IsolationLevel = 'process';
  readonly detail =
    'a process with limits and the permission model of Node; install bubblewrap for more';

  start(program: ConfinedProgram): ChildProcess {
    return startPlainly(program, []);
  }
}

function startPlainly(program: ConfinedProgram, wrapper: readonly string[]): ChildProcess {
  const [command = 'nice', ...prefix] = limitCommand(program.limits);
  const flags = [...permissionFlags(program.mounts), ...program.nodeFlags];
  const user = nextHostUser();
  return spawn(
    command,
    [...prefix, ...wrapper, process.execPath, ...flags, program.entry, ...program.arguments],
    {
      cwd: '/',
      detached: true,
      env: { ...program.environment, PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      ...(user === null ? {} : { uid: user, gid: user }),
    },
  );
}
