import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { exitOfJob } from '../exit-code.js';
import { duration } from './options.js';

export const waitCommand = (cli: Cli) =>
  new Command('wait')
    .description('wait until jobs are over; the exit status tells how the worst of them ended')
    .argument('<id...>', 'the jobs')
    .option('--timeout <duration>', 'give up after this; the jobs go on', duration)
    .action(
      cli.act(async (session, ids: string[], options: { timeout?: number }) => {
        const { jobs } = session.tidemill();
        const timeout = options.timeout === undefined ? {} : { timeoutMs: options.timeout };
        const signal = session.io.interrupted;
        const ended = await Promise.all(ids.map((id) => jobs.wait(id, { ...timeout, signal })));
        session.show({ items: ended.map(({ id, state, cost }) => ({ id, state, cost })) }, () =>
          ended.map(({ id, state }) => `${id} ${state}\n`).join(''),
        );
        const codes = ended.map(({ state }) => exitOfJob(state));
        return codes.includes(1) ? 1 : (codes.find((code) => code !== 0) ?? 0);
      }),
    );
