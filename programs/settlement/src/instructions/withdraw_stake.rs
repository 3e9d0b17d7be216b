//! Pays a worker its unbonded stake.
//!
//! Accounts: worker (signs), network, stake account, stake vault, destination (a token account of the worker), token program.
//! Who: the worker whose stake it is; a pause does not stop it.
//! Wrong: nothing is unbonding, or not for long enough.
use crate::{
    error::{require, Refusal},
    events,
    payments::Payer,
    reader::Reader,
    state::{
        account::{load, load_mut},
        network::Network,
        stake::Stake,
    },
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [worker, network, account, vault, destination, token_program, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_token_program(token_program)?;
    books.require_destination(destination, worker.address())?;
    let before = books.stake_surplus(vault)?;
    let stake: &mut Stake = load_mut(account, program)?;
    stake.require_of(&network_address)?;
    stake.require_worker(worker)?;
    arguments.finish()?;
    let slot = books.turn()?;
    require(stake.unbonding > 0, Refusal::NothingToWithdraw)?;
    require(slot >= stake.unbonded_slot, Refusal::TooEarly)?;

    let amount = stake.unbonding;
    stake.unbonding = 0;
    books.unbonding = books.unbonding.checked_sub(amount).ok_or(Refusal::ConservationBroken)?;
    Payer {
        network,
        vault,
        token_program,
    }
    .pay(program, destination, amount)?;

    load::<Network>(network, program)?.stake_invariant(vault, before)?;
    events::StakeWithdrawn(worker.address(), amount);
    Ok(())
}
