//! Moves tokens into the vault, to a submitter's credit. The submitter's account is opened with its first deposit.
//!
//! Accounts: depositor (signs, pays), submitter (whose credit it is), network, submitter account, source, vault, token program,
//! system program.
//! Who: anybody who owns the source, for any submitter.
//! Wrong: the network is paused, the amount is zero, the source is not of the mint or not the depositor's.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    seeds,
    state::{
        account::{create, exists, load_mut},
        network::Network,
        submitter::Submitter,
    },
    token,
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [depositor, submitter, network, account, source, vault, token_program, _system, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    require(depositor.is_signer(), Refusal::MissingSignature)?;
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_running()?;
    books.require_token_program(token_program)?;
    books.require_destination(source, depositor.address())?;
    let before = books.vault_surplus(vault)?;
    let amount = arguments.u64()?;
    arguments.finish()?;
    require(amount > 0, Refusal::ZeroAmount)?;

    let slot = books.turn()?;
    let opens = !exists(account, program);
    if opens {
        let seeds = [seeds::SUBMITTER, network_address.as_ref(), submitter.address().as_ref()];
        let (opened, _) = create::<Submitter>(account, depositor, program, seeds)?;
        opened.network = network_address;
        opened.submitter = *submitter.address();
        opened.opened_slot = slot;
    }
    let credit: &mut Submitter = load_mut(account, program)?;
    credit.require_of(&network_address)?;
    require(&credit.submitter == submitter.address(), Refusal::WrongAddress)?;
    credit.deposited = credit.deposited.checked_add(amount).ok_or(Refusal::Overflow)?;
    let deposited = credit.deposited;
    let books: &mut Network = load_mut(network, program)?;
    books.deposited = books.deposited.checked_add(amount).ok_or(Refusal::Overflow)?;
    token::transfer(source, vault, depositor, amount, (token_program.address(), &[]))?;

    let books: &mut Network = load_mut(network, program)?;
    books.invariant(vault, before)?;
    events::Deposited(submitter.address(), amount, deposited);
    Ok(())
}
