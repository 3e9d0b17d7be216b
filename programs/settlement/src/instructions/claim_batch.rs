//! Pays the workers of one contiguous subtree under one proof. A place that is not to be paid is given by its hash.
//!
//! Accounts: network, vault, page, token program, then a token account for each leaf that is paid, in order. The payee of a leaf is
//! the owner of its token account.
//! Who: anybody; the payees are paid. A pause does not stop it, and no account is created.
//! Wrong: no root is active; the subtree is not in it; a leaf lies in another page; a token account is missing or not of the mint.
use crate::{
    error::{require, Refusal},
    events,
    merkle::{is_under, node_hash, worker_leaf_hash, Hash, WorkerLeaf},
    payments::Payer,
    reader::Reader,
    state::{
        account::{load, load_mut},
        network::Network,
        page::Page,
    },
    token::token_account,
};
use alloc::vec::Vec;
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

/// At most 64 leaves: what fits in a transaction with an address table, with room to grow.
const MAX_HEIGHT: u8 = 6;

/// What a leaf that is paid says, in base units.
#[derive(Clone, Copy)]
struct Paid {
    index: u32,
    earned: u64,
    slashed: u64,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, vault, page, token_program, payees @ ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    books.require_token_program(token_program)?;
    let before = books.vault_surplus(vault)?;
    books.turn()?;
    require(books.active.epoch != 0, Refusal::NoActiveRoot)?;

    let (start, height) = (arguments.u32()?, arguments.u8()?);
    let mut paid = Vec::with_capacity(payees.len());
    check_subtree(books, (&network_address, start, height), (payees, &mut paid), arguments)?;

    let page: &mut Page = load_mut(page, program)?;
    page.require_of(&network_address)?;
    let mut amount = 0u64;
    let mut dues = Vec::with_capacity(paid.len());
    for leaf in &paid {
        let due = page.settle(leaf.index, leaf.earned, leaf.slashed)?;
        amount = amount.checked_add(due).ok_or(Refusal::Overflow)?;
        dues.push(due);
    }
    let books: &mut Network = load_mut(network, program)?;
    books.paid = books.paid.checked_add(amount).ok_or(Refusal::Overflow)?;
    Payer {
        network,
        vault,
        token_program,
    }
    .pay_all(program, payees, &dues)?;

    let books: &Network = load(network, program)?;
    books.invariant(vault, before)?;
    events::BatchClaimed(start, height, amount);
    Ok(())
}

/// Proves the leaves, and collects those to be paid in the order of the token accounts.
fn check_subtree(
    books: &Network,
    (network, start, height): (&Address, u32, u8),
    (payees, paid): (&[AccountView], &mut Vec<Paid>),
    arguments: &mut Reader,
) -> Result<(), ProgramError> {
    require(height <= MAX_HEIGHT, Refusal::BadArguments)?;
    let size = 1u32 << height;
    require(start % size == 0 && arguments.u32()? == size, Refusal::BadArguments)?;
    let mut level: Vec<Hash> = Vec::with_capacity(1 << height);
    let mut accounts = payees.iter();
    for at in 0..size {
        if arguments.u8()? == 0 {
            level.push(*arguments.array()?);
            continue;
        }
        let index = start.checked_add(at).ok_or(Refusal::BadArguments)?;
        let leaf = Paid {
            index,
            earned: arguments.u64()?,
            slashed: arguments.u64()?,
        };
        let account = token_account(accounts.next().ok_or(Refusal::MissingAccount)?, &books.token_program)?;
        require(account.mint == &books.mint, Refusal::WrongTokenAccount)?;
        let payee = account.owner.as_array();
        level.push(worker_leaf_hash(
            network.as_array(),
            &WorkerLeaf {
                index,
                payee,
                earned: leaf.earned,
                slashed: leaf.slashed,
            },
        ));
        paid.push(leaf);
    }
    require(accounts.next().is_none(), Refusal::BadArguments)?;
    let proof = arguments.hashes()?;
    arguments.finish()?;
    require(
        proof.len() + usize::from(height) == usize::from(books.active.worker_depth),
        Refusal::BadProof,
    )?;
    let root = fold(&mut level);
    require(
        is_under(&books.active.worker_root, root, start >> height, proof),
        Refusal::BadProof,
    )
}

/// The root over a power of two of hashes, worked out where they lie.
fn fold(level: &mut [Hash]) -> Hash {
    let mut length = level.len();
    while length > 1 {
        length /= 2;
        for at in 0..length {
            level[at] = node_hash(&level[2 * at], &level[2 * at + 1]);
        }
    }
    level[0]
}
