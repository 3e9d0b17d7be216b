import type { JobState } from '../sdk/types.js';

/** What the command tells the shell; the help text shows the same list. */
export const EXIT = {
  succeeded: 0,
  failed: 1,
  usage: 2,
  stopped: 3,
  noAccess: 4,
  refused: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit status:
  0    done; for run and apply --wait: the job succeeded
  1    the job failed, or something went wrong
  2    the command or the job file is not valid
  3    the job was cancelled or expired
  4    the orchestrator cannot be reached, or does not know you
  5    the orchestrator refused the request
  130  interrupted; a job that was submitted goes on`;

/** The exit code that tells how a job ended. */
export function exitOfJob(state: JobState): ExitCode {
  if (state === 'succeeded') return EXIT.succeeded;
  return state === 'cancelled' || state === 'expired' ? EXIT.stopped : EXIT.failed;
}
