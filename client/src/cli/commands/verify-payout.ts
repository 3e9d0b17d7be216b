import { formatAmount, type SubmitterLeafLine, type WorkerLeafLine } from '@tidemill/protocol';
import type { PayoutCheck } from '../../chain/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { CliError } from '../failure.js';
import { chainCommand, type ChainOptions, openChain } from '../money/chain-session.js';
import type { Session } from '../session.js';

export const verifyPayoutCommand = (cli: Cli) =>
  chainCommand('payout')
    .description('work the roots out of all leaves and compare them with the chain')
    .argument('[worker]', 'the worker whose leaf to show: its id, or its payout address')
    .action(cli.act(verify));

async function verify(
  session: Session,
  worker: string | undefined,
  options: ChainOptions,
): Promise<ExitCode> {
  const { checkLeaves, checkWorker } = await import('../../chain/index.js');
  const chain = await openChain(session, options);
  const { active } = chain.state;
  if (active === null)
    throw new CliError('No root is active yet.', 'Wait for the first epoch.', EXIT.refused);
  const { epochs } = session.tidemill();
  const number = Number(active.epoch);
  const workers: WorkerLeafLine[] = [];
  for await (const leaf of epochs.workerLeaves(number)) workers.push(leaf);
  const submitters: SubmitterLeafLine[] = [];
  for await (const leaf of epochs.submitterLeaves(number)) submitters.push(leaf);

  const network = chain.addresses.network.toBytes();
  const checks = checkLeaves(network, { workers, submitters }, active);
  const leaf = worker === undefined ? null : await leafOf(session, number, worker, workers);
  const paid = leaf === null ? 0n : await chain.paid(leaf.index);
  const own = leaf === null ? null : checkWorker(leaf, paid);
  if (own !== null) checks.push(own.check);
  const isSound = checks.every(({ result }) => result === 'ok');
  const claimable = own?.claimable ?? null;
  session.show(
    {
      epoch: number,
      isSound,
      checks,
      leaf,
      paid: leaf === null ? null : `${paid}`,
      claimable: claimable === null ? null : `${claimable}`,
    },
    () => report(session, { number, checks, isSound, leaf, paid, claimable }),
  );
  return isSound ? EXIT.succeeded : EXIT.failed;
}

/** The leaf of a worker: by its payout address without asking anybody, by its id as the network says. */
async function leafOf(
  session: Session,
  epoch: number,
  worker: string,
  leaves: readonly WorkerLeafLine[],
): Promise<WorkerLeafLine> {
  const index = worker.startsWith('wrk_')
    ? (await session.tidemill().epochs.workerProof(epoch, worker)).index
    : leaves.find(({ payee }) => payee === worker)?.index;
  const leaf = leaves.find((one) => one.index === index);
  if (leaf !== undefined) return leaf;
  throw new CliError(
    `No leaf of epoch ${epoch} pays ${worker}.`,
    'A worker gets a leaf once what it earned is released and above the floor.',
    EXIT.failed,
  );
}

interface Found {
  readonly number: number;
  readonly checks: readonly PayoutCheck[];
  readonly isSound: boolean;
  readonly leaf: WorkerLeafLine | null;
  readonly paid: bigint;
  readonly claimable: bigint | null;
}

function report(
  session: Session,
  { number, checks, isSound, leaf, paid, claimable }: Found,
): string {
  const { colors } = session.io;
  const rows = checks.map(({ name, result, detail }) => [
    name,
    { styled: (result === 'ok' ? colors.green : colors.red)(result) },
    detail,
  ]);
  const verdict = isSound
    ? colors.green(`The payouts of epoch ${number} are what the chain holds.`)
    : colors.red(`The leaves of epoch ${number} are not what the chain holds.`);
  const own =
    leaf === null
      ? ''
      : session.facts([
          ['pays to', leaf.payee],
          ['earned', formatAmount(BigInt(leaf.earned))],
          ['paid on chain', formatAmount(paid)],
          ['left to claim', formatAmount(claimable ?? 0n)],
        ]);
  return `${session.table(['check', 'result', 'found'], rows)}\n${verdict}\n${own}`;
}
