//! Pays one worker what its leaf in the active root says it has earned, less what was slashed and what was paid before.
//!
//! Accounts: network, vault, page, payee's token account, token program.
//! Who: anybody; the payee of the leaf is paid. A pause does not stop it, and no account is created.
//! Wrong: no root is active; the leaf is not in it; the page is another index's; the token account is not the payee's.
//! A second claim pays nothing and succeeds, so that two relayers do no harm to each other.
use crate::{
    error::{require, Refusal},
    events,
    merkle::{is_under, worker_leaf_hash, WorkerLeaf},
    payments::Payer,
    reader::Reader,
    state::{
        account::{load, load_mut},
        network::Network,
        page::Page,
    },
};
use pinocchio::{AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, vault, page, destination, token_program, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_token_program(token_program)?;
    let before = books.vault_surplus(vault)?;
    books.turn()?;
    require(books.active.epoch != 0, Refusal::NoActiveRoot)?;

    let index = arguments.u32()?;
    let payee = arguments.address()?;
    let leaf = WorkerLeaf {
        index,
        payee: payee.as_array(),
        earned: arguments.u64()?,
        slashed: arguments.u64()?,
    };
    let proof = arguments.hashes()?;
    arguments.finish()?;
    books.require_destination(destination, &payee)?;
    require(proof.len() == usize::from(books.active.worker_depth), Refusal::BadProof)?;
    let hash = worker_leaf_hash(network_address.as_array(), &leaf);
    require(
        is_under(&books.active.worker_root, hash, index, proof),
        Refusal::BadProof,
    )?;

    let page: &mut Page = load_mut(page, program)?;
    page.require_of(&network_address)?;
    let amount = page.settle(index, leaf.earned, leaf.slashed)?;
    books.paid = books.paid.checked_add(amount).ok_or(Refusal::Overflow)?;
    if amount > 0 {
        Payer {
            network,
            vault,
            token_program,
        }
        .pay(program, destination, amount)?;
    }

    load::<Network>(network, program)?.invariant(vault, before)?;
    events::Claimed(index, &payee, amount);
    Ok(())
}
