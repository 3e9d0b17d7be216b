import { formatAmount } from '@tidemill/protocol';
import type { Cli } from '../cli.js';
import {
  baseUnits,
  type ChainOptions,
  mustBeAddress,
  openChain,
  SOURCE,
  walletCommand,
  walletOf,
} from '../money/chain-session.js';

interface DepositOptions extends ChainOptions {
  readonly for?: string;
  readonly source?: string;
}

export const depositCommand = (cli: Cli) =>
  walletCommand('deposit')
    .description('put tokens into the network, to spend on jobs')
    .argument('<amount>', 'how many tokens')
    .option('--for <wallet>', 'in the name of another submitter')
    .option(...SOURCE)
    .action(
      cli.act(async (session, text: string, options: DepositOptions) => {
        const amount = baseUnits(text);
        const wallet = walletOf(session, options);
        const submitter = options.for ?? wallet.address;
        for (const address of [submitter, options.source ?? submitter]) mustBeAddress(address);
        const chain = await openChain(session, options);
        const { signature } = await chain.deposit(wallet, submitter, amount, options.source);
        const account = await chain.submitter(submitter);
        const deposited = account?.deposited ?? amount;
        session.show({ signature, submitter, amount: `${amount}`, deposited: `${deposited}` }, () =>
          session.facts([
            ['deposited', `${formatAmount(amount)} for ${submitter}`],
            ['since the beginning', formatAmount(deposited)],
            ['transaction', signature],
          ]),
        );
      }),
    );
