//! Takes back a root within its challenge window. Its number is not used again.
//!
//! Accounts: guardian (signs), network.
//! Who: any one guardian.
//! Wrong: no root is pending, or its window has passed.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{account::load_mut, network::Network, root::Root},
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [guardian, network, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let books: &mut Network = load_mut(network, program)?;
    books.require_guardian(guardian)?;
    arguments.finish()?;
    books.turn()?;
    require(books.pending.epoch != 0, Refusal::NoPendingRoot)?;

    let epoch = books.pending.epoch;
    books.pending = Root::NONE;
    events::RootVoided(epoch, 0);
    Ok(())
}
