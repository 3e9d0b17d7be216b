//! Opens the page that holds the paid totals of 1,270 indexes.
//!
//! Accounts: payer (signs, pays), network, page (new), system program.
//! Who: anybody who pays the rent; a page has one address and is never closed.
//! Wrong: the page exists, or lies beyond the largest tree.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    seeds,
    state::{
        account::{create, load},
        network::Network,
        page::{Page, MAX_PAGE},
    },
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [payer, network, page, _system, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    load::<Network>(network, program)?;
    let number = arguments.u32()?;
    arguments.finish()?;
    require(number <= MAX_PAGE, Refusal::WrongPage)?;

    let seeds = [seeds::PAGE, network.address().as_ref(), &number.to_le_bytes()];
    let (opened, _) = create::<Page>(page, payer, program, seeds)?;
    opened.network = *network.address();
    opened.number = number;
    events::PageAdded(number);
    Ok(())
}
