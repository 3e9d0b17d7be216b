import type { Tidemill } from '../../sdk/tidemill.js';
import type { JobDetail, JobEvent } from '../../sdk/types.js';
import { type ExitCode, exitOfJob } from '../exit-code.js';
import { InterruptedError } from '../interrupted-error.js';
import { printable } from '../output/printable.js';
import { duration, tokens } from '../output/quantities.js';
import type { Session } from '../session.js';
import { FurthestProgress } from './furthest-progress.js';
import { happening, type Progress } from './happening.js';
import { metricsText, progressBar } from './progress-bar.js';

/** Without a screen, progress is a line at most this often. */
const LINE_EVERY_MS = 2_000;

/** Shows what happens to a job until it is over: a bar and its log for people, a line for each event in JSON. */
export async function followJob(
  session: Session,
  tidemill: Tidemill,
  id: string,
): Promise<ExitCode> {
  const view = session.json
    ? jsonView(session)
    : session.io.screen
      ? barView(session)
      : lineView(session);
  try {
    const signal = session.io.interrupted;
    const job = await tidemill.jobs.wait(id, { signal, onEvent: view.event });
    view.stop();
    view.end(job);
    return exitOfJob(job.state);
  } catch (error) {
    view.stop();
    if (error instanceof InterruptedError) {
      session.remark(
        `${id} goes on. Follow it: tidemill logs -f ${id}   Stop it: tidemill cancel ${id}`,
      );
    }
    throw error;
  }
}

interface View {
  readonly event: (event: JobEvent) => void;
  readonly stop: () => void;
  readonly end: (job: JobDetail) => void;
}

function jsonView({ io }: Session): View {
  const line = (value: unknown) => io.out(`${JSON.stringify(value)}\n`);
  return { event: (event) => line({ event }), stop: () => {}, end: (job) => line({ job }) };
}

function barView(session: Session): View {
  const { screen } = session.io;
  if (screen === null) return lineView(session);
  const bar = progressBar(screen);
  const furthest = new FurthestProgress();
  return {
    event: (event) => show(session, event, furthest, { print: bar.print, progress: bar.update }),
    stop: bar.stop,
    end: (job) => ending(session, job),
  };
}

function lineView(session: Session): View {
  let last = -Infinity;
  const print = (line: string) => session.io.err(`${line}\n`);
  const progress = ({ step, totalSteps, metrics }: Progress) => {
    const now = session.io.nowMs();
    if (now - last < LINE_EVERY_MS && step < totalSteps) return;
    last = now;
    print(`step ${step}/${totalSteps}  ${metricsText(metrics)}`.trimEnd());
  };
  const furthest = new FurthestProgress();
  return {
    event: (event) => show(session, event, furthest, { print, progress }),
    stop: () => {},
    end: (job) => ending(session, job),
  };
}

function show(
  { io }: Session,
  event: JobEvent,
  furthest: FurthestProgress,
  to: { print: (line: string) => void; progress: (progress: Progress) => void },
): void {
  const seen = happening(event);
  if (event.type === 'lost' || event.type === 'requeued') furthest.fallBack();
  if (seen.kind === 'progress') {
    if (furthest.isAhead(seen.progress)) to.progress(seen.progress);
  } else if (seen.kind === 'log') to.print(logText(io.colors.red, seen));
  else to.print(io.colors.dim(`${event.at.slice(11, 19)}  ${printable(seen.text)}`));
}

const logText = (red: (text: string) => string, log: { text: string; stream: 'out' | 'err' }) =>
  log.stream === 'err' ? red(printable(log.text)) : printable(log.text);

/** The last word on a job: how it ended, how long it ran and what it cost. */
function ending({ io }: Session, job: JobDetail): void {
  const { colors } = io;
  const paint = job.state === 'succeeded' ? colors.green : colors.red;
  const ran =
    job.startedAt === null || job.finishedAt === null
      ? ''
      : ` after ${duration(Date.parse(job.finishedAt) - Date.parse(job.startedAt))}`;
  io.out(
    `${job.id} ${paint(job.state)}${ran}, cost ${tokens(job.cost)} of ${tokens(job.hold)} held\n`,
  );
  if (job.reason !== null)
    io.out(`${printable(job.reason.code)}: ${printable(job.reason.message)}\n`);
}
