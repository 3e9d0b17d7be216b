use super::account::Body;
use crate::{
    discriminator,
    error::{require, Refusal},
};
use pinocchio::{error::ProgramError, Address};

pub const ENTRIES: u32 = 1270;
/// The last page of the largest tree.
pub const MAX_PAGE: u32 = ((1 << crate::merkle::MAX_DEPTH) - 1) / ENTRIES;

/// What has been paid to each of 1,270 workers since the beginning. Never closed, or it could be claimed again.
#[repr(C)]
pub struct Page {
    pub network: Address,
    pub number: u32,
    pub reserved: [u8; 36],
    pub paid: [u64; 1270],
}

// SAFETY: integers and bytes in an order that needs no padding, which `BYTES` proves below.
unsafe impl Body for Page {
    const DISCRIMINATOR: [u8; 8] = discriminator::of("account:Page");
}
const _: () = assert!(Page::BYTES == 10_240);

impl Page {
    pub fn require_of(&self, network: &Address) -> Result<(), ProgramError> {
        require(&self.network == network, Refusal::WrongNetwork)
    }

    /// The paid total of an index, or a refusal when it lies in another page.
    #[inline(always)]
    pub fn paid_of(&mut self, index: u32) -> Result<&mut u64, ProgramError> {
        let first = self.number.checked_mul(ENTRIES).ok_or(Refusal::WrongPage)?;
        let place = index.checked_sub(first).ok_or(Refusal::WrongPage)?;
        let place = usize::try_from(place).map_err(|_| Refusal::WrongPage)?;
        self.paid.get_mut(place).ok_or(Refusal::WrongPage.into())
    }

    /// Raises an index's paid total to what is due and gives the difference: nothing when it was paid before, or when more
    /// was slashed than is left (G9).
    #[inline(always)]
    pub fn settle(&mut self, index: u32, earned: u64, slashed: u64) -> Result<u64, ProgramError> {
        let paid = self.paid_of(index)?;
        let due = earned.saturating_sub(slashed).saturating_sub(*paid);
        *paid = paid.checked_add(due).ok_or(Refusal::Overflow)?;
        Ok(due)
    }
}
