//! Begins to take stake back: it can still be slashed until the unbonding time has passed. What was already unbonding waits anew.
//!
//! Accounts: worker (signs), network, stake account.
//! Who: the worker whose stake it is; a pause does not stop it.
//! Wrong: the amount is zero or more than is staked.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{account::load_mut, network::Network, stake::Stake},
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [worker, network, account, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    let stake: &mut Stake = load_mut(account, program)?;
    stake.require_of(&network_address)?;
    stake.require_worker(worker)?;
    let amount = arguments.u64()?;
    arguments.finish()?;
    require(amount > 0, Refusal::ZeroAmount)?;

    let slot = books.turn()?;
    stake.staked = stake.staked.checked_sub(amount).ok_or(Refusal::InsufficientStake)?;
    stake.unbonding = stake.unbonding.checked_add(amount).ok_or(Refusal::Overflow)?;
    stake.unbonded_slot = slot
        .checked_add(books.parameters.unbonding_slots)
        .ok_or(Refusal::Overflow)?;
    books.staked = books.staked.checked_sub(amount).ok_or(Refusal::ConservationBroken)?;
    books.unbonding = books.unbonding.checked_add(amount).ok_or(Refusal::Overflow)?;
    events::UnstakeRequested(worker.address(), amount, stake.unbonded_slot);
    Ok(())
}
