//! Posts the roots of the next epoch. They count when the challenge window has passed without their being voided.
//!
//! Accounts: authority (signs), network, vault, instructions sysvar. The instruction just before verifies the co-signers' signatures
//! over the statement, which is this instruction's arguments as they are.
//! Who: the authority, with as many co-signers as the threshold asks for.
//! Wrong: the network is paused; another root is pending; the epoch is not the next one; a total fell; the sums do not agree or are
//! more than the vault holds; totals grew by more than the caps allow; too few co-signers signed.
//! Posting the pending or active root again changes nothing and succeeds (G10).
use crate::{
    error::{require, Refusal},
    events,
    merkle::MAX_DEPTH,
    reader::Reader,
    runtime::sha256,
    signatures::each_signer,
    state::{account::load_mut, network::Network, root::Root},
    statement::{RootStatement, ROOT_TAG},
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [authority, network, vault, instructions, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    require(authority.is_signer(), Refusal::MissingSignature)?;
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    require(authority.address() == &books.authority, Refusal::NotAuthority)?;
    books.require_running()?;
    books.vault_surplus(vault)?;
    let statement = RootStatement::read(arguments)?;
    arguments.finish()?;
    let signed = arguments.whole();
    let statement_hash = sha256(&[signed]);
    let slot = books.turn()?;
    if [&books.pending, &books.active]
        .iter()
        .any(|root| root.epoch != 0 && root.statement_hash == statement_hash)
    {
        return Ok(());
    }

    let addressed = &statement.tag == ROOT_TAG && statement.network == network_address && &statement.program == program;
    require(addressed, Refusal::WrongStatement)?;
    require(books.pending.epoch == 0, Refusal::RootPending)?;
    check_succession(books, &statement, slot)?;
    check_solvency(books, &statement)?;
    check_growth(books, &statement, slot)?;
    check_cosigners(books, instructions, signed)?;

    let activation_slot = slot
        .checked_add(books.parameters.challenge_slots)
        .ok_or(Refusal::Overflow)?;
    books.last_epoch = statement.epoch;
    books.pending = Root {
        epoch: statement.epoch,
        sealed_slot: statement.sealed_slot,
        activation_slot,
        totals: statement.totals,
        worker_root: statement.worker_root,
        submitter_root: statement.submitter_root,
        trail_root: statement.trail_root,
        registry_root: statement.registry_root,
        statement_hash,
        trail_size: statement.trail_size,
        worker_depth: statement.worker_depth,
        submitter_depth: statement.submitter_depth,
        reserved: [0; 6],
    };
    events::RootPosted(statement.epoch, activation_slot, &statement_hash);
    Ok(())
}

/// Nothing goes back: not the epoch, the slot it was sealed at, a total or the trail.
fn check_succession(books: &Network, next: &RootStatement, slot: u64) -> Result<(), ProgramError> {
    require(books.last_epoch.checked_add(1) == Some(next.epoch), Refusal::WrongEpoch)?;
    let sealed_in_order = next.sealed_slot >= books.active.sealed_slot && next.sealed_slot <= slot;
    require(sealed_in_order, Refusal::WrongSealedSlot)?;
    let grown = next.totals.is_at_least(&books.active.totals) && next.trail_size >= books.active.trail_size;
    require(grown, Refusal::TotalsFell)?;
    require(
        next.worker_depth <= MAX_DEPTH && next.submitter_depth <= MAX_DEPTH,
        Refusal::BadArguments,
    )
}

/// The sums agree, and the books hold what is owed to workers, for fees and to submitters, each of which is owed at least nothing (G8).
fn check_solvency(books: &Network, next: &RootStatement) -> Result<(), ProgramError> {
    let totals = &next.totals;
    require(totals.agree(), Refusal::SumsDisagree)?;
    let to_workers = totals.earned.saturating_sub(totals.slashed).saturating_sub(books.paid);
    let to_fees = totals
        .fees
        .saturating_sub(totals.fees_given)
        .saturating_sub(books.fees_withdrawn);
    let came = u128::from(books.deposited) + u128::from(totals.refunded);
    let went = u128::from(books.withdrawn) + u128::from(totals.spent);
    let to_submitters = came.checked_sub(went).ok_or(Refusal::Insolvent)?;
    let owed = u128::from(to_workers) + u128::from(to_fees) + to_submitters;
    require(u128::from(books.vault_book()?) >= owed, Refusal::Insolvent)
}

/// The circuit breaker: what can be taken out may not grow faster than the caps allow, whoever signed (G11).
fn check_growth(books: &mut Network, next: &RootStatement, slot: u64) -> Result<(), ProgramError> {
    let claimable = |earned: u64, refunded: u64| earned.checked_add(refunded).ok_or(Refusal::Overflow);
    if slot >= books.window_start.saturating_add(books.caps.window_slots) {
        books.window_start = slot;
        books.window_base = claimable(books.active.totals.earned, books.active.totals.refunded)?;
    }
    let growth = claimable(next.totals.earned, next.totals.refunded)?.saturating_sub(books.window_base);
    require(growth <= books.caps.limit(books.window_base), Refusal::GrowthLimit)
}

/// As many different co-signers as the threshold asks for have signed the statement.
fn check_cosigners(books: &Network, instructions: &AccountView, signed: &[u8]) -> Result<(), ProgramError> {
    let mut seen = [false; crate::state::keys::MAX_KEYS];
    each_signer(instructions, signed, &mut |key| {
        if let Some(place) = books.cosigners.position(key).and_then(|at| seen.get_mut(at)) {
            *place = true;
        }
        Ok(())
    })?;
    let agreed = seen.iter().filter(|signed| **signed).count();
    require(
        agreed >= usize::from(books.cosigners.threshold),
        Refusal::TooFewCosigners,
    )
}
