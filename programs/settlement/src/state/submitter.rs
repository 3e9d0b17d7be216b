use super::account::Body;
use crate::{
    discriminator,
    error::{require, Refusal},
};
use pinocchio::{error::ProgramError, Address};

/// What a submitter has put in and taken out since the beginning, and the withdrawal it asks for.
#[repr(C)]
pub struct Submitter {
    pub network: Address,
    pub submitter: Address,
    pub deposited: u64,
    pub withdrawn: u64,
    pub requested: u64,
    /// The slot of the request: a root sealed from then on knows of it.
    pub requested_slot: u64,
    /// The slot of the first deposit: a root sealed before it cannot know of it.
    pub opened_slot: u64,
}

// SAFETY: integers and bytes in an order that needs no padding, which `BYTES` proves below.
unsafe impl Body for Submitter {
    const DISCRIMINATOR: [u8; 8] = discriminator::of("account:Submitter");
}
const _: () = assert!(Submitter::BYTES == 8 + 2 * 32 + 5 * 8);

impl Submitter {
    pub fn require_of(&self, network: &Address) -> Result<(), ProgramError> {
        require(&self.network == network, Refusal::WrongNetwork)
    }
}
