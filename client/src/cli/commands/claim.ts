import { decodeBase58, formatAmount, hexToBytes } from '@tidemill/protocol';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-code.js';
import { CliError } from '../failure.js';
import { type ChainOptions, openChain, walletCommand, walletOf } from '../money/chain-session.js';

export const claimCommand = (cli: Cli) =>
  walletCommand('claim')
    .description('have a worker paid what it has earned; anybody may, and the payee gets it')
    .argument('<worker>', "the worker's id")
    .action(
      cli.act(async (session, worker: string, options: ChainOptions) => {
        const wallet = walletOf(session, options);
        const chain = await openChain(session, options);
        const { active } = chain.state;
        if (active === null)
          throw new CliError('No root is active yet.', 'Wait for the first epoch.', EXIT.refused);
        const shown = await session.tidemill().epochs.workerProof(Number(active.epoch), worker);
        const before = await chain.paid(shown.index);
        const due = BigInt(shown.earned) - BigInt(shown.slashed) - before;
        if (due <= 0n) {
          session.show(
            { worker, index: shown.index, paid: '0' },
            () => 'Nothing is left to claim.\n',
          );
          return;
        }
        const { signature } = await chain.claim(wallet, {
          leaf: {
            index: shown.index,
            payee: decodeBase58(shown.payee) ?? new Uint8Array(),
            lifetimeEarned: BigInt(shown.earned),
            lifetimeSlashed: BigInt(shown.slashed),
          },
          proof: shown.path.map(hexToBytes),
        });
        const paid = (await chain.paid(shown.index)) - before;
        session.show(
          { worker, index: shown.index, payee: shown.payee, paid: `${paid}`, signature },
          () =>
            session.facts([
              ['paid', `${formatAmount(paid)} to ${shown.payee}`],
              ['epoch', String(active.epoch)],
              ['transaction', signature],
            ]),
        );
      }),
    );
