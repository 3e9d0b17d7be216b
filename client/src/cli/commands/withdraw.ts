import { decodeBase58, formatAmount, hexToBytes } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import type { SettlementOnChain } from '../../chain/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { CliError } from '../failure.js';
import {
  baseUnits,
  type ChainOptions,
  openChain,
  walletCommand,
  walletOf,
} from '../money/chain-session.js';
import type { Session } from '../session.js';

export const withdrawCommand = (cli: Cli) =>
  walletCommand('withdraw')
    .description('ask for tokens back; without an amount, take what was asked for and is ready')
    .argument('[amount]', 'how many tokens to ask for')
    .action(
      cli.act(async (session, text: string | undefined, options: ChainOptions) => {
        const wallet = walletOf(session, options);
        const amount = text === undefined ? null : baseUnits(text);
        const chain = await openChain(session, options);
        if (amount !== null) return request(session, chain, wallet, amount);
        return complete(session, chain, wallet);
      }),
    );

async function request(
  session: Session,
  chain: SettlementOnChain,
  wallet: Signer,
  amount: bigint,
): Promise<ExitCode> {
  const { signature } = await chain.requestWithdrawal(wallet, amount);
  const { challengeSlots } = chain.state;
  session.show({ signature, requested: `${amount}`, isPaid: false }, () =>
    session.facts([
      ['asked for', formatAmount(amount)],
      ['transaction', signature],
      ['paid', `with the next epoch, ${challengeSlots} slots after its root is posted`],
      ['then', 'tidemill withdraw'],
    ]),
  );
  return EXIT.succeeded;
}

async function complete(
  session: Session,
  chain: SettlementOnChain,
  wallet: Signer,
): Promise<ExitCode> {
  const before = await chain.submitter(wallet.address);
  if (before === null || before.requested === 0n)
    throw new CliError(
      `${wallet.address} has not asked for anything.`,
      'Ask first: tidemill withdraw AMOUNT',
      EXIT.refused,
    );
  const { active, pending } = chain.state;
  if (active === null || active.sealedSlot < before.requestedSlot)
    throw new CliError(
      pending !== null && pending.sealedSlot >= before.requestedSlot
        ? `It is ready at slot ${pending.activationSlot}; this is slot ${chain.state.slot}.`
        : 'It waits for an epoch that is sealed after it was asked for.',
      'Try again then: tidemill withdraw',
      EXIT.refused,
    );
  const shown = await session
    .tidemill()
    .epochs.submitterProof(Number(active.epoch), wallet.address);
  const { signature } = await chain.withdraw(wallet, {
    leaf: {
      index: shown.index,
      submitter: decodeBase58(shown.wallet) ?? new Uint8Array(),
      lifetimeSpent: BigInt(shown.spent),
      lifetimeRefunded: BigInt(shown.refunded),
      held: BigInt(shown.held),
    },
    proof: shown.path.map(hexToBytes),
  });
  const after = await chain.submitter(wallet.address);
  const paid = (after?.withdrawn ?? before.withdrawn) - before.withdrawn;
  session.show({ signature, paid: `${paid}`, isPaid: true }, () =>
    session.facts([
      ['paid', formatAmount(paid)],
      ['of', `${formatAmount(before.requested)} asked for`],
      ['transaction', signature],
    ]),
  );
  return EXIT.succeeded;
}
