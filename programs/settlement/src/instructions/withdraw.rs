//! Pays a requested withdrawal to the submitter: at most what was deposited and refunded, less what was withdrawn, spent and is held.
//!
//! Accounts: network, submitter account, vault, destination (a token account of the submitter), token program.
//! Who: anybody; the submitter is paid. A pause does not stop it.
//! Wrong: nothing was requested; the active root was sealed before the request (`TooEarly`: wait for the next one); the leaf is not
//! in the active root; nothing is left.
//!
//! Without a new root for `stale_slots`, the network owes what its last root says: the request no longer waits, what is held counts
//! as zero, and a submitter who came after that root needs no leaf.
use crate::{
    error::{require, Refusal},
    events,
    merkle::{is_under, submitter_leaf_hash, SubmitterLeaf},
    payments::Payer,
    reader::Reader,
    state::{
        account::{load, load_mut},
        network::Network,
        submitter::Submitter,
    },
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

/// What the leaf says of a submitter, in base units.
struct Spending {
    spent: u64,
    refunded: u64,
    held: u64,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, account, vault, destination, token_program, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_token_program(token_program)?;
    let before = books.vault_surplus(vault)?;
    let slot = books.turn()?;
    let credit: &Submitter = load(account, program)?;
    credit.require_of(&network_address)?;
    books.require_destination(destination, &credit.submitter)?;
    require(credit.requested > 0, Refusal::NothingRequested)?;

    let since = credit.requested_slot.max(books.active.activation_slot);
    let is_stale = slot >= since.saturating_add(books.parameters.stale_slots);
    let is_known = books.active.epoch != 0 && books.active.sealed_slot >= credit.requested_slot;
    require(is_known || is_stale, Refusal::TooEarly)?;
    let mut leaf = spending(arguments, (&network_address, books, credit))?;
    if is_stale {
        leaf.held = 0;
    }

    let credit: &mut Submitter = load_mut(account, program)?;
    let came = u128::from(credit.deposited) + u128::from(leaf.refunded);
    let went = u128::from(credit.withdrawn) + u128::from(leaf.spent) + u128::from(leaf.held);
    let left = u64::try_from(came.saturating_sub(went)).map_err(|_| Refusal::Overflow)?;
    let amount = left.min(credit.requested);
    require(amount > 0, Refusal::NothingToWithdraw)?;
    credit.withdrawn = credit.withdrawn.checked_add(amount).ok_or(Refusal::Overflow)?;
    credit.requested = 0;
    let (submitter, withdrawn) = (credit.submitter, credit.withdrawn);
    books.withdrawn = books.withdrawn.checked_add(amount).ok_or(Refusal::Overflow)?;
    Payer {
        network,
        vault,
        token_program,
    }
    .pay(program, destination, amount)?;

    load::<Network>(network, program)?.invariant(vault, before)?;
    events::Withdrawn(&submitter, amount, withdrawn);
    Ok(())
}

/// Reads the leaf and its proof. None is accepted only of a submitter that the active root cannot know.
fn spending(
    arguments: &mut Reader,
    (network, books, credit): (&Address, &Network, &Submitter),
) -> Result<Spending, ProgramError> {
    if arguments.u8()? == 0 {
        arguments.hashes()?;
        arguments.finish()?;
        require(credit.opened_slot > books.active.sealed_slot, Refusal::BadProof)?;
        return Ok(Spending {
            spent: 0,
            refunded: 0,
            held: 0,
        });
    }
    let leaf = SubmitterLeaf {
        index: arguments.u32()?,
        submitter: credit.submitter.as_array(),
        spent: arguments.u64()?,
        refunded: arguments.u64()?,
        held: arguments.u64()?,
    };
    let proof = arguments.hashes()?;
    arguments.finish()?;
    require(books.active.epoch != 0, Refusal::NoActiveRoot)?;
    require(
        proof.len() == usize::from(books.active.submitter_depth),
        Refusal::BadProof,
    )?;
    let hash = submitter_leaf_hash(network.as_array(), &leaf);
    require(
        is_under(&books.active.submitter_root, hash, leaf.index, proof),
        Refusal::BadProof,
    )?;
    Ok(Spending {
        spent: leaf.spent,
        refunded: leaf.refunded,
        held: leaf.held,
    })
}
