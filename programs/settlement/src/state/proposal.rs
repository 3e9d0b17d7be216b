use super::{account::Body, network::Network};
use crate::{
    discriminator,
    error::{require, Refusal},
    reader::Reader,
};
use pinocchio::{error::ProgramError, AccountView, Address};

/// Room for the longest action: a set of eight keys.
pub const ACTION_BYTES: usize = 272;

/// An action that waits for approvals, then for its timelock. Closed when it is executed.
#[repr(C)]
pub struct Proposal {
    pub network: Address,
    pub proposer: Address,
    pub number: u64,
    pub generation: u64,
    pub proposed_slot: u64,
    /// From this slot on it may be executed; 0 until enough have approved.
    pub ready_slot: u64,
    /// SHA-256 of the action: what an approver signs for.
    pub digest: [u8; 32],
    /// One bit for each admin.
    pub approvals: u8,
    pub reserved: [u8; 5],
    pub action_length: u16,
    pub action: [u8; ACTION_BYTES],
}

// SAFETY: integers and bytes in an order that needs no padding, which `BYTES` proves below.
unsafe impl Body for Proposal {
    const DISCRIMINATOR: [u8; 8] = discriminator::of("account:Proposal");
}
const _: () = assert!(Proposal::BYTES == 8 + 3 * 32 + 4 * 8 + 8 + ACTION_BYTES);

impl Proposal {
    pub fn require_of(&self, network: &Address) -> Result<(), ProgramError> {
        require(&self.network == network, Refusal::WrongNetwork)
    }

    /// Refused unless enough have approved, the timelock has passed, it is not too late, and the admins are still the same.
    pub fn require_executable(&self, network: &Network, slot: u64) -> Result<(), ProgramError> {
        require(self.generation == network.generation, Refusal::StaleGovernance)?;
        require(self.ready_slot != 0, Refusal::NotApproved)?;
        require(slot >= self.ready_slot, Refusal::TooEarly)?;
        let until = self.ready_slot.saturating_add(network.parameters.approval_slots);
        require(slot < until, Refusal::Expired)
    }

    pub fn action(&self) -> Reader<'_> {
        Reader::new(self.action.get(..usize::from(self.action_length)).unwrap_or(&[]))
    }
}

/// Closes an executed proposal: its rent goes back to who proposed it, and its discriminator goes.
pub fn close(proposal: &mut AccountView, proposer: &mut AccountView) -> Result<(), ProgramError> {
    let sum = proposer
        .lamports()
        .checked_add(proposal.lamports())
        .ok_or(Refusal::Overflow)?;
    proposer.set_lamports(sum);
    proposal.try_borrow_mut()?.fill(0);
    proposal.close()
}
