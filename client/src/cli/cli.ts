import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit-code.js';
import type { Io } from './io.js';
import { type GlobalFlags, Session } from './session.js';

/** What a command does, given its session and its own arguments and options. Without an answer it succeeded. */
type Work<A extends unknown[]> = (session: Session, ...args: A) => Promise<ExitCode | void>;

/** One run of the program: commands are built with it, and it knows how they ended. */
export class Cli {
  exitCode: ExitCode = EXIT.succeeded;

  constructor(readonly io: Io) {}

  /** An action for commander, which gives the arguments, the options and then the command itself. */
  act<A extends unknown[]>(work: Work<A>): (...args: [...A, Command]) => Promise<void> {
    return async (...args) => {
      const command = args.at(-1) as Command;
      const session = new Session(this.io, command.optsWithGlobals<GlobalFlags>());
      this.exitCode = (await work(session, ...(args.slice(0, -1) as A))) ?? EXIT.succeeded;
    };
  }
}
