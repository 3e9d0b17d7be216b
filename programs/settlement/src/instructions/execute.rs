//! Carries out an approved change of parameters, caps or keys, or lifts a pause.
//!
//! Accounts: network, proposal (closed), proposer (gets the rent).
//! Who: anybody, once the timelock has passed.
//! Wrong: too few have approved, it is too early or too late, the admins have changed since, or it is a slash or a payment, which have
//! instructions of their own.
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    state::{
        account::{load, load_mut},
        action::Action,
        network::Network,
        proposal::{close, Proposal},
    },
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, account, proposer, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    arguments.finish()?;
    let action = approved(program, (network, account, proposer))?;
    let books: &mut Network = load_mut(network, program)?;
    apply(books, action)?;
    finish(program, account, proposer)
}

/// The action of a proposal that may be executed now; it and its proposer are what they are said to be.
pub fn approved(
    program: &Address,
    (network, account, proposer): (&mut AccountView, &AccountView, &AccountView),
) -> Result<Action, ProgramError> {
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    let slot = books.turn()?;
    let proposal: &Proposal = load(account, program)?;
    proposal.require_of(&network_address)?;
    require(proposer.address() == &proposal.proposer, Refusal::WrongAddress)?;
    proposal.require_executable(books, slot)?;
    Action::read(&mut proposal.action())
}

/// Closes an executed proposal.
pub fn finish(program: &Address, account: &mut AccountView, proposer: &mut AccountView) -> ProgramResult {
    let proposal: &Proposal = load(account, program)?;
    events::Executed(proposal.number, &proposal.digest);
    close(account, proposer)
}

fn apply(books: &mut Network, action: Action) -> Result<(), ProgramError> {
    match action {
        Action::SetParameters(parameters) => books.parameters = parameters,
        Action::SetCaps(caps) => books.caps = caps,
        Action::Unpause => books.paused = 0,
        Action::SetOperators { authority, releaser } => {
            books.authority = authority;
            books.releaser = releaser;
        }
        Action::SetCosigners(cosigners) => books.cosigners = cosigners,
        Action::SetAdmins(admins) => {
            books.admins = admins;
            books.generation = books.generation.checked_add(1).ok_or(Refusal::Overflow)?;
        }
        Action::SetGuardians(guardians) => books.guardians = guardians,
        Action::Slash { .. } | Action::Treasury { .. } => return Err(Refusal::WrongAction.into()),
    }
    // Neither the authority nor the co-signers suffice alone.
    require(
        books.cosigners.position(books.authority.as_array()).is_none(),
        Refusal::BadKeySet,
    )
}
