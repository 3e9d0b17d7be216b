import { Command } from 'commander';
import { formatAmount, PublicKeyText } from '@tidemill/protocol';
import type { Cli } from '../cli.js';
import { CliError } from '../failure.js';
import {
  baseUnits,
  type ChainOptions,
  KEY,
  NETWORK_ACCOUNT,
  openChain,
  PROGRAM,
  RPC,
  walletOf,
} from '../money/chain-session.js';

interface DepositOptions extends ChainOptions {
  readonly for?: string;
  readonly source?: string;
}

export const depositCommand = (cli: Cli) =>
  new Command('deposit')
    .description('put tokens into the network, to spend on jobs')
    .argument('<amount>', 'how many tokens')
    .option('--for <wallet>', 'in the name of another submitter')
    .option(
      '--source <address>',
      "the token account to take them from (default: the wallet's fullest)",
    )
    .option(...KEY)
    .option(...RPC)
    .option(...NETWORK_ACCOUNT)
    .option(...PROGRAM)
    .action(
      cli.act(async (session, text: string, options: DepositOptions) => {
        const amount = baseUnits(text);
        const wallet = walletOf(session, options);
        const submitter = options.for ?? wallet.address;
        for (const address of [submitter, options.source ?? submitter])
          if (!PublicKeyText.safeParse(address).success)
            throw new CliError(`${address} is not an address.`, 'Write it in base58.');
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
