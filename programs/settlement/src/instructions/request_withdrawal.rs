//! Asks for tokens back. The amount replaces an earlier request; zero takes it back.
//!
//! Accounts: submitter (signs), network, submitter account.
//! Who: the submitter; a pause does not stop it.
//! Wrong: the account is another submitter's or network's.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{
        account::{load, load_mut},
        network::Network,
        submitter::Submitter,
    },
};
use pinocchio::{
    sysvars::{clock::Clock, Sysvar},
    AccountView, Address, ProgramResult,
};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [submitter, network, account, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    require(submitter.is_signer(), Refusal::MissingSignature)?;
    load::<Network>(network, program)?;
    let credit: &mut Submitter = load_mut(account, program)?;
    credit.require_of(network.address())?;
    require(&credit.submitter == submitter.address(), Refusal::WrongAddress)?;
    let amount = arguments.u64()?;
    arguments.finish()?;

    credit.requested = amount;
    credit.requested_slot = Clock::get()?.slot;
    events::WithdrawalRequested(submitter.address(), amount, credit.requested_slot);
    Ok(())
}
