//! Locks a worker's tokens in the vault of stakes. The stake's account is opened with the first of them.
//!
//! Accounts: worker (signs, pays), network, stake account, source, stake vault, token program, system program.
//! Who: any worker, for itself.
//! Wrong: the network is paused, the amount is zero, the source is not of the mint or not the worker's.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    seeds,
    state::{
        account::{create, exists, load, load_mut},
        network::Network,
        stake::Stake,
    },
    token,
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [worker, network, account, source, vault, token_program, _system, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    require(worker.is_signer(), Refusal::MissingSignature)?;
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_running()?;
    books.require_token_program(token_program)?;
    books.require_destination(source, worker.address())?;
    let before = books.stake_surplus(vault)?;
    let amount = arguments.u64()?;
    arguments.finish()?;
    require(amount > 0, Refusal::ZeroAmount)?;

    books.staked = books.staked.checked_add(amount).ok_or(Refusal::Overflow)?;
    if !exists(account, program) {
        let seeds = [seeds::STAKE, network_address.as_ref(), worker.address().as_ref()];
        let (opened, _) = create::<Stake>(account, worker, program, seeds)?;
        opened.network = network_address;
        opened.worker = *worker.address();
    }
    let stake: &mut Stake = load_mut(account, program)?;
    stake.require_of(&network_address)?;
    stake.require_worker(worker)?;
    stake.staked = stake.staked.checked_add(amount).ok_or(Refusal::Overflow)?;
    let staked = stake.staked;
    token::transfer(source, vault, worker, amount, (token_program.address(), &[]))?;

    load::<Network>(network, program)?.stake_invariant(vault, before)?;
    events::Staked(worker.address(), amount, staked);
    Ok(())
}
