//! Puts an action before the admins (G17).
//!
//! Accounts: proposer (signs, pays), network, proposal (new), system program.
//! Who: any admin. The proposer's own word does not count as an approval.
//! Wrong: the action makes no sense, so that nobody approves what could not be executed.
use crate::{
    error::Refusal,
    events,
    reader::Reader,
    runtime::sha256,
    seeds,
    state::{
        account::{create, load_mut},
        action::Action,
        network::Network,
        proposal::Proposal,
    },
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [proposer, network, account, _system, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_admin(proposer)?;
    let action = arguments.whole();
    Action::read(arguments)?;
    arguments.finish()?;
    let slot = books.turn()?;
    let number = books.proposals;
    books.proposals = number.checked_add(1).ok_or(Refusal::Overflow)?;

    let seeds = [seeds::PROPOSAL, network_address.as_ref(), &number.to_le_bytes()];
    let (proposal, _) = create::<Proposal>(account, proposer, program, seeds)?;
    proposal.network = network_address;
    proposal.proposer = *proposer.address();
    proposal.number = number;
    proposal.generation = books.generation;
    proposal.proposed_slot = slot;
    proposal.digest = sha256(&[action]);
    proposal.action_length = u16::try_from(action.len()).map_err(|_| Refusal::BadArguments)?;
    let room = proposal.action.get_mut(..action.len()).ok_or(Refusal::BadArguments)?;
    room.copy_from_slice(action);
    events::Proposed(number, &proposal.digest);
    Ok(())
}
