use super::account::Body;
use crate::{
    discriminator,
    error::{require, Refusal},
};
use pinocchio::{error::ProgramError, AccountView, Address};

/// What a worker has staked. Both parts can be slashed until they are withdrawn.
#[repr(C)]
pub struct Stake {
    pub network: Address,
    pub worker: Address,
    pub staked: u64,
    pub unbonding: u64,
    /// From this slot on the unbonding part may be withdrawn.
    pub unbonded_slot: u64,
    pub slashed: u64,
}

// SAFETY: integers and bytes in an order that needs no padding, which `BYTES` proves below.
unsafe impl Body for Stake {
    const DISCRIMINATOR: [u8; 8] = discriminator::of("account:Stake");
}
const _: () = assert!(Stake::BYTES == 8 + 2 * 32 + 4 * 8);

impl Stake {
    pub fn require_of(&self, network: &Address) -> Result<(), ProgramError> {
        require(&self.network == network, Refusal::WrongNetwork)
    }

    /// Refused unless the worker whose stake it is signed.
    pub fn require_worker(&self, worker: &AccountView) -> Result<(), ProgramError> {
        require(worker.is_signer(), Refusal::MissingSignature)?;
        require(worker.address() == &self.worker, Refusal::WrongAddress)
    }
}
