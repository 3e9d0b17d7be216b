//! Approves a proposal. The last approval that is needed starts the timelock.
//!
//! Accounts: approver (signs), network, proposal.
//! Who: any admin but the proposer, once, naming the digest of the action, so that nobody approves what they have not read (G17).
//! Wrong: the digest is another one; it is too late; the admins have changed since.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{account::load_mut, network::Network, proposal::Proposal},
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [approver, network, account, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    let place = books.require_admin(approver)?;
    let proposal: &mut Proposal = load_mut(account, program)?;
    proposal.require_of(&network_address)?;
    let digest = arguments.array::<32>()?;
    arguments.finish()?;
    let slot = books.turn()?;
    require(digest == &proposal.digest, Refusal::WrongDigest)?;
    require(approver.address() != &proposal.proposer, Refusal::OwnProposal)?;
    require(proposal.generation == books.generation, Refusal::StaleGovernance)?;
    let until = proposal.proposed_slot.saturating_add(books.parameters.approval_slots);
    require(slot < until, Refusal::Expired)?;
    let bit = 1u8 << place;
    require(proposal.approvals & bit == 0, Refusal::AlreadyApproved)?;

    proposal.approvals |= bit;
    let enough = proposal.approvals.count_ones() >= u32::from(books.admins.threshold);
    if enough && proposal.ready_slot == 0 {
        proposal.ready_slot = slot
            .checked_add(books.parameters.timelock_slots)
            .ok_or(Refusal::Overflow)?
            .max(1);
    }
    events::Approved(proposal.number, approver.address(), proposal.ready_slot);
    Ok(())
}
