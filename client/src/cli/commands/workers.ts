import { Command, Option } from 'commander';
import type { Worker, WorkerState } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { ago, thousandths, tokens } from '../output/quantities.js';
import { stateCell } from '../output/states.js';
import type { Cell } from '../output/table.js';
import type { Session } from '../session.js';

const STATES = ['online', 'draining', 'lost', 'suspended'] as const;

export const workersCommand = (cli: Cli) =>
  new Command('workers')
    .description('list the workers of the network')
    .addOption(new Option('--state <state>', 'only workers in this state').choices(STATES))
    .option('--runtime <name>', 'only workers that offer it, such as tfjs')
    .option('--name <prefix>', 'only workers whose name begins like this')
    .action(
      cli.act(async (session, filter: { state?: WorkerState; runtime?: string; name?: string }) => {
        const items: Worker[] = [];
        for await (const worker of session.tidemill().workers.list(filter)) items.push(worker);
        session.show({ items }, () => {
          if (items.length === 0) return 'No workers. Add this machine: tidemill worker join\n';
          const heads = [
            'id',
            'name',
            'state',
            'gpus',
            'cpus',
            'running',
            'cpu ask',
            'accepted',
            'earned',
            'last seen',
          ];
          return session.table(
            heads,
            items.map((worker) => row(session, worker)),
          );
        });
      }),
    );

const row = ({ io }: Session, worker: Worker): Cell[] => [
  worker.id,
  worker.name,
  stateCell(worker.state, io),
  thousandths(worker.resources.gpuMilli),
  thousandths(worker.resources.cpuMilli),
  `${worker.running}/${worker.slots}`,
  tokens(worker.asks.cpuHour),
  worker.results.accepted,
  tokens(worker.earned),
  ago(worker.lastSeenAt, io.nowMs()),
];
