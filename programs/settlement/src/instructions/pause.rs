//! Stops new roots, deposits and stakes. It never stops a claim of an active root, a withdrawal or an unstaking (G11).
//!
//! Accounts: guardian (signs), network.
//! Who: any one guardian. Only the admins together lift it.
use crate::{
    error::Refusal,
    events,
    reader::Reader,
    state::{account::load_mut, network::Network},
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
    books.paused = 1;
    events::Paused(guardian.address());
    Ok(())
}
