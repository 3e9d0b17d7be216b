import type { Proposal } from '../../chain/index.js';
import type { Cli } from '../cli.js';
import { type ChainOptions, openChain, walletCommand, walletOf } from '../money/chain-session.js';
import type { Session } from '../session.js';
import { wholeNumber } from './options.js';

interface ApproveOptions extends ChainOptions {
  readonly execute?: boolean;
}

export const approveCommand = (cli: Cli) =>
  walletCommand('approve')
    .description('for admins on chain: see what is proposed, approve one, or carry it out')
    .argument('[number]', 'the proposal', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--execute', 'carry out what has been approved, once its time has come')
    .action(
      cli.act(async (session, number: number | undefined, options: ApproveOptions) => {
        const { approve, execute, openProposals } = await import('../../chain/index.js');
        const chain = await openChain(session, options);
        if (number === undefined) {
          const proposals = await openProposals(chain);
          session.show({ items: proposals.map(plain) }, () => listed(session, proposals));
          return;
        }
        const act = options.execute === true ? execute : approve;
        const { signature, proposal } = await act(
          chain,
          walletOf(session, options),
          BigInt(number),
        );
        session.show({ signature, proposal: plain(proposal) }, () =>
          session.facts([
            [options.execute === true ? 'carried out' : 'approved', String(proposal.number)],
            ['which', proposal.does],
            ['digest', proposal.digest],
            ['transaction', signature],
          ]),
        );
      }),
    );

const plain = (proposal: Proposal) => ({
  ...proposal,
  number: Number(proposal.number),
  readySlot: Number(proposal.readySlot),
  slot: Number(proposal.slot),
});

function listed(session: Session, proposals: readonly Proposal[]): string {
  if (proposals.length === 0) return 'Nothing is proposed.\n';
  const each = proposals.map((proposal) =>
    session.facts([
      ['proposal', `${proposal.number} by ${proposal.proposer}`],
      ['does', proposal.does],
      ['digest', proposal.digest],
      ['approvals', `${proposal.approvals} of ${proposal.needed}`],
      ['from slot', `${proposal.readySlot} (this is ${proposal.slot})`],
    ]),
  );
  return `${each.join('\n')}\nApprove one: tidemill approve NUMBER --key FILE\n`;
}
