import { formatAmount } from '@tidemill/protocol';
import type { SettlementOnChain, StakeOnChain } from '../../chain/index.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';
import { CliError } from '../failure.js';
import {
  baseUnits,
  type ChainOptions,
  mustBeAddress,
  openChain,
  SOURCE,
  walletCommand,
  walletOf,
} from '../money/chain-session.js';
import type { Session } from '../session.js';

interface StakeOptions extends ChainOptions {
  readonly source?: string;
}

export const stakeCommand = (cli: Cli) =>
  walletCommand('stake')
    .description('lock tokens for a worker, which are taken when it is found to have lied')
    .argument('<amount>', 'how many tokens')
    .option(...SOURCE)
    .action(
      cli.act(async (session, text: string, options: StakeOptions) => {
        const amount = baseUnits(text);
        const wallet = walletOf(session, options);
        if (options.source !== undefined) mustBeAddress(options.source);
        const chain = await openChain(session, options);
        const { signature } = await chain.stake(wallet, amount, options.source);
        show(session, chain, await chain.stakeOf(wallet.address), signature);
      }),
    );

export const unstakeCommand = (cli: Cli) =>
  walletCommand('unstake')
    .description('ask for staked tokens back; without an amount, take what is no longer bound')
    .argument('[amount]', 'how many tokens to ask for')
    .action(
      cli.act(async (session, text: string | undefined, options: ChainOptions) => {
        const wallet = walletOf(session, options);
        const amount = text === undefined ? null : baseUnits(text);
        const chain = await openChain(session, options);
        const before = await chain.stakeOf(wallet.address);
        if (amount === null) refuseUnlessFree(chain, before);
        const { signature } =
          amount === null
            ? await chain.withdrawStake(wallet)
            : await chain.requestUnstake(wallet, amount);
        show(session, chain, await chain.stakeOf(wallet.address), signature);
      }),
    );

function refuseUnlessFree(chain: SettlementOnChain, stake: StakeOnChain | null): void {
  if (stake === null || stake.unbonding === 0n)
    throw new CliError(
      'Nothing was asked for.',
      'Ask first: tidemill unstake AMOUNT',
      EXIT.refused,
    );
  if (chain.state.slot < stake.unbondedSlot)
    throw new CliError(
      `It is bound until slot ${stake.unbondedSlot}; this is slot ${chain.state.slot}.`,
      'Try again then: tidemill unstake',
      EXIT.refused,
    );
}

function show(
  session: Session,
  { state }: SettlementOnChain,
  stake: StakeOnChain | null,
  signature: string,
): void {
  const { staked = 0n, unbonding = 0n, unbondedSlot = 0n } = stake ?? {};
  session.show(
    {
      signature,
      staked: `${staked}`,
      unbonding: `${unbonding}`,
      unbondedSlot: Number(unbondedSlot),
    },
    () =>
      session.facts([
        ['staked', formatAmount(staked)],
        [
          'on its way back',
          unbonding === 0n
            ? '0'
            : `${formatAmount(unbonding)}, free at slot ${unbondedSlot} (asked at about ${state.slot})`,
        ],
        ['transaction', signature],
      ]),
  );
}
