//! Pays fees out of the vault, or slashed stake out of the vault of stakes, to the token account that was approved.
//!
//! Accounts: network, proposal (closed), proposer (gets the rent), vault (the one of the source), destination, token program.
//! Who: anybody, once the proposal is approved and its timelock has passed.
//! Wrong: as in `execute`; the destination is another one; more than there is of fees in the active root, or of slashed stake.
use super::execute::{approved, finish};
use crate::{
    error::{require, Refusal},
    payments::Payer,
    reader::Reader,
    state::{
        account::{load, load_mut},
        action::{Action, Source},
        network::Network,
    },
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, account, proposer, vault, destination, token_program, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    arguments.finish()?;
    let action = approved(program, (network, account, proposer))?;
    let Action::Treasury {
        source,
        amount,
        destination: approved_destination,
    } = action
    else {
        return Err(Refusal::WrongAction.into());
    };
    require(destination.address() == &approved_destination, Refusal::WrongAddress)?;
    let books: &mut Network = load_mut(network, program)?;
    books.require_token_program(token_program)?;
    let before = match source {
        Source::Fees => books.vault_surplus(vault)?,
        Source::SlashedStake => books.stake_surplus(vault)?,
    };
    take(books, source, amount)?;
    Payer {
        network,
        vault,
        token_program,
    }
    .pay(program, destination, amount)?;

    let books: &Network = load(network, program)?;
    match source {
        Source::Fees => books.invariant(vault, before)?,
        Source::SlashedStake => books.stake_invariant(vault, before)?,
    }
    finish(program, account, proposer)
}

fn take(books: &mut Network, source: Source, amount: u64) -> Result<(), ProgramError> {
    match source {
        Source::Fees => {
            let totals = &books.active.totals;
            let taken = books.fees_withdrawn.checked_add(amount).ok_or(Refusal::Overflow)?;
            require(
                taken <= totals.fees.saturating_sub(totals.fees_given),
                Refusal::NothingToWithdraw,
            )?;
            books.fees_withdrawn = taken;
        }
        Source::SlashedStake => {
            books.slashed_stake = books
                .slashed_stake
                .checked_sub(amount)
                .ok_or(Refusal::NothingToWithdraw)?;
        }
    }
    Ok(())
}
