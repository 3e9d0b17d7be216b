//! Takes part of a worker's stake, first from what is unbonding. The tokens stay in the vault of stakes until the admins pay them out.
//!
//! Accounts: network, proposal (closed), proposer (gets the rent), stake account, stake vault.
//! Who: anybody, once the proposal is approved and its timelock has passed.
//! Wrong: as in `execute`; the stake is another worker's. More than there is takes all there is.
use super::execute::{approved, finish};
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{account::load_mut, action::Action, network::Network, stake::Stake},
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, account, proposer, stake, vault, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    arguments.finish()?;
    let Action::Slash { worker, amount } = approved(program, (network, account, proposer))? else {
        return Err(Refusal::WrongAction.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    let before = books.stake_surplus(vault)?;
    let stake: &mut Stake = load_mut(stake, program)?;
    stake.require_of(&network_address)?;
    require(stake.worker == worker, Refusal::WrongAddress)?;

    let from_unbonding = amount.min(stake.unbonding);
    let from_staked = amount.saturating_sub(from_unbonding).min(stake.staked);
    let taken = from_unbonding.checked_add(from_staked).ok_or(Refusal::Overflow)?;
    stake.unbonding = stake
        .unbonding
        .checked_sub(from_unbonding)
        .ok_or(Refusal::InsufficientStake)?;
    stake.staked = stake
        .staked
        .checked_sub(from_staked)
        .ok_or(Refusal::InsufficientStake)?;
    stake.slashed = stake.slashed.checked_add(taken).ok_or(Refusal::Overflow)?;
    books.unbonding = books
        .unbonding
        .checked_sub(from_unbonding)
        .ok_or(Refusal::ConservationBroken)?;
    books.staked = books
        .staked
        .checked_sub(from_staked)
        .ok_or(Refusal::ConservationBroken)?;
    books.slashed_stake = books.slashed_stake.checked_add(taken).ok_or(Refusal::Overflow)?;

    books.stake_invariant(vault, before)?;
    events::Slashed(&worker, taken);
    finish(program, account, proposer)
}
