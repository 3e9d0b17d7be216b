import { Command } from 'commander';
import { type AgentProcess, agentStateDir, findAgent } from '../agent/agent-process.js';
import { type AgentStatus, readAgentStatus } from '../agent/agent-status.js';
import { runAgent } from '../agent/join.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';
import { CliError } from '../failure.js';
import { ago, duration, thousandths } from '../output/quantities.js';
import { stateCell } from '../output/states.js';
import { FOLDER, type FolderOption } from '../owner/worker-folder.js';
import type { Session } from '../session.js';
import { keyCommand, operatorCommand, uninstallCommand } from './worker-key.js';
import { earningsCommand, payoutCommand, priceCommand } from './worker-money.js';

export const workerCommand = (cli: Cli) =>
  new Command('worker')
    .description('lend this machine to the network')
    .addCommand(joinCommand(cli))
    .addCommand(statusCommand(cli))
    .addCommand(endCommand(cli, 'drain'))
    .addCommand(endCommand(cli, 'leave'))
    .addCommand(priceCommand(cli))
    .addCommand(earningsCommand(cli))
    .addCommand(payoutCommand(cli))
    .addCommand(keyCommand(cli))
    .addCommand(operatorCommand(cli))
    .addCommand(uninstallCommand(cli));

const joinCommand = (cli: Cli) =>
  new Command('join')
    .description('join as a worker and run until Ctrl-C')
    .argument('[flags...]', "the agent's own flags, handed on as they are: --help lists them")
    .allowUnknownOption()
    .helpOption(false)
    .action(cli.act((session, flags: string[]) => runAgent(session, flags)));

const statusCommand = (cli: Cli) =>
  new Command('status')
    .description('what the worker on this machine is doing')
    .option(...FOLDER)
    .action(
      cli.act(async (session, options: FolderOption) => {
        const folder = folderOf(session, options);
        const agent = runningIn(folder);
        const status = readAgentStatus(folder);
        if (status === null || status.pid !== agent.pid) {
          throw new CliError(
            `The worker (pid ${agent.pid}) has not written its status yet.`,
            'Ask again in a second.',
            EXIT.failed,
          );
        }
        session.show(status, () => statusText(session, status));
      }),
    );

const ENDINGS = {
  drain: {
    signals: 1,
    withinMs: 86_400_000,
    description: 'let the worker finish what it runs, then leave',
  },
  leave: {
    signals: 2,
    withinMs: 15_000,
    description: 'leave at once; what runs goes to other workers',
  },
} as const;

const endCommand = (cli: Cli, name: keyof typeof ENDINGS) =>
  new Command(name)
    .description(ENDINGS[name].description)
    .option(...FOLDER)
    .action(
      cli.act(async (session, options: FolderOption) => {
        const agent = runningIn(folderOf(session, options));
        const { signals, withinMs } = ENDINGS[name];
        agent.signal('SIGTERM');
        // Two signals in one instant may count as one.
        if (signals === 2 && !(await agent.hasEndedWithin(500, session.io.interrupted)))
          agent.signal('SIGTERM');
        session.remark(
          name === 'drain' ? 'draining; Ctrl-C ends this wait, not the draining' : 'leaving',
        );
        if (!(await agent.hasEndedWithin(withinMs, session.io.interrupted))) {
          throw new CliError(
            `The worker (pid ${agent.pid}) is still there.`,
            'Look at its log.',
            EXIT.failed,
          );
        }
        session.show(
          { pid: agent.pid, ended: true },
          () => `The worker (pid ${agent.pid}) has left.\n`,
        );
      }),
    );

const folderOf = ({ io }: Session, { stateDir }: FolderOption) =>
  stateDir ?? agentStateDir(io.env, io.home);

function runningIn(folder: string): AgentProcess {
  const agent = findAgent(folder);
  if (agent !== null) return agent;
  throw new CliError(
    `No worker runs with ${folder}.`,
    'Start one: tidemill worker join',
    EXIT.failed,
  );
}

function statusText(session: Session, status: AgentStatus): string {
  const { io } = session;
  const { offered, free } = status.resources;
  const { totals } = status;
  const facts = session.facts([
    ['worker', `${status.name} ${status.workerId ?? '(not yet known to the network)'}`],
    ['state', stateCell(status.state, io)],
    ['orchestrator', status.orchestrator],
    ['key', status.publicKey],
    ['pid', `${status.pid}, started ${ago(status.startedAt, io.nowMs())}`],
    ['slots', `${status.slots.free} of ${status.slots.offered} free`],
    ['cpus', `${thousandths(free.cpuMilli)} of ${thousandths(offered.cpuMilli)} free`],
    ['memory', `${free.memoryMib} of ${offered.memoryMib} MiB free`],
    ['isolation', `${status.isolation} (${status.isolationDetail})`],
    ['receipts waiting', status.outbox],
    [
      'attempts',
      `${totals.succeeded} succeeded, ${totals.failed} failed, ${totals.cancelled} cancelled, ${totals.stopped} stopped`,
    ],
  ]);
  const rows = status.attempts.map(({ attemptId, jobId, phase, elapsedMs, progress }) => [
    attemptId,
    jobId,
    phase,
    duration(elapsedMs),
    progress === null ? '-' : `${progress.step}/${progress.totalSteps}`,
  ]);
  const running = session.table(['attempt', 'job', 'phase', 'for', 'step'], rows);
  return running === '' ? facts : `${facts}\n${running}`;
}
