import { Command, Option } from 'commander';
import { formatAmount } from '@tidemill/protocol';
import { loadSigner } from '@tidemill/protocol/node';
import { resolve } from 'node:path';
import type { Earnings, Market, Worker, WorkerOwner } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { FOLDER, WorkerFolder, type FolderOption } from '../owner/worker-folder.js';
import { sendOrder } from '../owner/send-order.js';
import { amountText } from './options.js';

const tokens = (units: string) => formatAmount(BigInt(units));

export const priceCommand = (cli: Cli) =>
  new Command('price')
    .description('see what others ask, and set what this worker asks')
    .option(...FOLDER)
    .option('--cpu-hour <tokens>', 'ask so much for a CPU core for an hour', amountText)
    .option('--gpu-hour <tokens>', 'ask so much for a GPU for an hour', amountText)
    .action(
      cli.act(async (session, options: FolderOption & { cpuHour?: string; gpuHour?: string }) => {
        const { workers } = session.tidemill();
        const folder = new WorkerFolder(session, options);
        const worker = await workers.get(folder.workerId());
        const market = await workers.market();
        const suggested = suggestionFor(worker, market);
        const asks = {
          cpuHour: options.cpuHour ?? tokens(worker.asks.cpuHour),
          gpuHour: options.gpuHour ?? tokens(worker.asks.gpuHour),
        };
        const isSet = options.cpuHour !== undefined || options.gpuHour !== undefined;
        if (isSet) folder.write('price.json', asks);
        session.show({ asks, isSet, suggested, market }, () => {
          const rows = market.classes.map((one) => [
            one.class,
            one.workers,
            ...[one.cpuHour.low, one.cpuHour.median, one.cpuHour.high].map(tokens),
          ]);
          const facts = session.facts([
            ['a core for an hour', asks.cpuHour],
            ['a GPU for an hour', asks.gpuHour],
            ['suggested', suggested === null ? 'nobody to compare with' : suggested.cpuHour],
            ['because', suggested?.because ?? '-'],
          ]);
          const how = isSet
            ? 'Set. A worker that runs asks it within seconds; leases it holds keep their price.\n'
            : 'Set it: tidemill worker price --cpu-hour TOKENS\n';
          return `${facts}\n${session.table(['class', 'workers', 'lowest', 'median', 'highest'], rows)}\n${how}`;
        });
      }),
    );

/** A tenth more where work waits for workers, a tenth less where nothing was asked for an hour, else the median of the class. */
function suggestionFor(
  worker: Pick<Worker, 'capabilities'>,
  { classes, demand }: Market,
): { readonly cpuHour: string; readonly because: string } | null {
  const own = worker.capabilities.runtimes.map((runtime) => runtime.class);
  const [dearest] = classes
    .filter((one) => own.includes(one.class))
    .sort((a, b) => Number(BigInt(b.cpuHour.median) - BigInt(a.cpuHour.median)));
  if (dearest === undefined) return null;
  const asked = demand.find(({ runtime }) => runtime === dearest.runtime);
  const median = BigInt(dearest.cpuHour.median);
  const basis = `the median of ${dearest.workers} workers of ${dearest.class}`;
  if ((asked?.waiting ?? 0) > dearest.slots)
    return { cpuHour: formatAmount((median * 11n) / 10n), because: `${basis}, and work waits` };
  if ((asked?.lastHour ?? 0) === 0)
    return {
      cpuHour: formatAmount((median * 9n) / 10n),
      because: `${basis}, and nothing was asked for an hour`,
    };
  return { cpuHour: formatAmount(median), because: basis };
}

interface EarningsOptions extends FolderOption {
  readonly by: Earnings['by'];
  readonly from?: string;
  readonly to?: string;
  readonly csv?: boolean;
}

export const earningsCommand = (cli: Cli) =>
  new Command('earnings')
    .description('what this worker was booked, by periods in UTC')
    .option(...FOLDER)
    .addOption(
      new Option('--by <period>', 'sum up by')
        .choices(['hour', 'day', 'week', 'month'])
        .default('day'),
    )
    .option('--from <date>', 'from this day or time on, such as 2030-01-31')
    .option('--to <date>', 'before this day or time')
    .option('--csv', 'write comma-separated values')
    .action(
      cli.act(async (session, options: EarningsOptions) => {
        const { workers } = session.tidemill();
        const id = new WorkerFolder(session, options).workerId();
        const { by } = options;
        const earnings = await workers.earnings(id, {
          by,
          ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
          ...(options.to === undefined ? {} : { to: timeOf(options.to) }),
        });
        if (options.csv === true) {
          session.io.out(csvOf(earnings));
          return;
        }
        const worker = await workers.get(id);
        session.show({ worker: id, state: worker.state, ...earnings }, () => {
          const rows = earnings.items.map(({ from, results, amount }) => [
            from.slice(0, by === 'hour' ? 16 : 10),
            results,
            tokens(amount),
          ]);
          const facts = session.facts([
            ['worker', `${worker.name} ${id}`],
            ['state', worker.state],
            ['booked in these periods', tokens(earnings.total)],
            ['waits for its release', tokens(worker.pending)],
            ['released so far', tokens(worker.earned)],
          ]);
          return `${facts}\n${session.table([by, 'results', 'tokens'], rows)}`;
        });
      }),
    );

const csvOf = ({ items }: Earnings): string =>
  [
    'from,results,base_units,tokens',
    ...items.map(({ from, results, amount }) => [from, results, amount, tokens(amount)].join(',')),
  ]
    .map((line) => `${line}\n`)
    .join('');

/** A day stands for its first instant in UTC. */
const timeOf = (text: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;

interface PayoutOptions extends FolderOption {
  readonly payoutKey?: string;
}

export const payoutCommand = (cli: Cli) =>
  new Command('payout')
    .description('see or change where earnings go; a change takes effect 24 hours later')
    .argument('[address]', 'the new address; the present one calls a change off')
    .option(...FOLDER)
    .option('--payout-key <file>', 'the key that is paid now (default: the key of the worker)')
    .action(
      cli.act(async (session, address: string | undefined, options: PayoutOptions) => {
        const folder = new WorkerFolder(session, options);
        const signer =
          options.payoutKey === undefined
            ? folder.signer()
            : loadSigner(resolve(session.io.cwd, options.payoutKey));
        const owner =
          address === undefined
            ? await sendOrder(session, folder.workerId(), { order: 'look' }, folder.signer())
            : await sendOrder(
                session,
                folder.workerId(),
                { order: 'payout', payout: address },
                signer,
              );
        session.show(owner, () => session.facts(payoutFacts(owner)));
      }),
    );

const payoutFacts = ({ payout, payoutChange }: WorkerOwner): [string, string][] => [
  ['paid to', payout],
  ...(payoutChange === null
    ? []
    : ([['from then on', `${payoutChange.at}: ${payoutChange.payout}`]] as [string, string][])),
];
