import { Command } from 'commander';
import type { LogLine } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { tailLogs } from '../follow/log-tail.js';
import { printable } from '../output/printable.js';
import type { Session } from '../session.js';

export const logsCommand = (cli: Cli) =>
  new Command('logs')
    .description("show a job's log")
    .argument('<id>', 'the job')
    .option('-f, --follow', 'go on until the job is over')
    .action(
      cli.act(async (session, id: string, options: { follow?: boolean }) => {
        const tidemill = session.tidemill();
        const signal = session.io.interrupted;
        const lines = options.follow ? tailLogs(tidemill, id, { signal }) : tidemill.jobs.logs(id);
        let isEmpty = true;
        for await (const line of lines) {
          isEmpty = false;
          print(session, line);
        }
        if (isEmpty) await sayWhy(session, id);
      }),
    );

/** A job that failed before it wrote a line has left its reason. */
async function sayWhy(session: Session, id: string): Promise<void> {
  const { reason } = await session.tidemill().jobs.get(id);
  if (reason !== null) session.io.err(`${printable(reason.code)}: ${printable(reason.message)}\n`);
}

function print({ io, json }: Session, line: LogLine): void {
  if (json) {
    io.out(`${JSON.stringify(line)}\n`);
    return;
  }
  const text = printable(line.text);
  io.out(
    `${io.colors.dim(line.at.slice(11, 19))}  ${line.stream === 'err' ? io.colors.red(text) : text}\n`,
  );
}
