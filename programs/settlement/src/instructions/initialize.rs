//! Opens a network at the address of its initializer and the cluster's genesis hash, with a vault for deposits and one for stakes.
//!
//! Accounts: initializer (signs, pays), network (new), mint, vault (new), stake vault (new), token program, system program.
//! Who: anybody; the address holds the initializer's key, so nobody can take another's.
//! Wrong: the mint can change amounts (`MintRefused`), an address is not that of its seeds (`WrongAddress`) or is in use
//! (`AlreadyExists`), a set of keys or a parameter makes no sense (`BadKeySet`, `BadParameters`).
use crate::{
    error::{require, Refusal},
    events,
    reader::Reader,
    seeds,
    state::{
        account::{create, create_at, Plan},
        action::admins,
        keys::KeySet,
        network::{Caps, Network, Parameters},
        root::Root,
    },
    token::{check_mint, TOKEN_ACCOUNT_BYTES},
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};
use pinocchio_token::instructions::InitializeAccount3;

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [initializer, network, mint, vault, stake_vault, token_program, _system, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    require(initializer.is_signer(), Refusal::MissingSignature)?;
    check_mint(mint, token_program)?;

    let genesis_hash = *arguments.array::<32>()?;
    let network_address = *network.address();
    let (state, bump) = create::<Network>(
        network,
        initializer,
        program,
        [seeds::NETWORK, initializer.address().as_ref(), &genesis_hash],
    )?;
    state.initializer = *initializer.address();
    state.genesis_hash = genesis_hash;
    state.bump = bump;
    state.mint = *mint.address();
    state.token_program = *token_program.address();
    state.vault = *vault.address();
    state.stake_vault = *stake_vault.address();
    read_keys(state, arguments)?;
    state.parameters = Parameters::read(arguments)?;
    state.caps = Caps::read(arguments)?;
    arguments.finish()?;
    state.active = Root::NONE;
    state.pending = Root::NONE;

    let plan = Plan {
        program,
        owner: token_program.address(),
        bytes: TOKEN_ACCOUNT_BYTES,
        seeds: [seeds::VAULT, network_address.as_ref()],
    };
    create_at(vault, initializer, &plan)?;
    InitializeAccount3::new(vault, mint, &network_address).invoke_with_program(token_program.address())?;
    let plan = Plan {
        seeds: [seeds::STAKE_VAULT, network_address.as_ref()],
        ..plan
    };
    create_at(stake_vault, initializer, &plan)?;
    InitializeAccount3::new(stake_vault, mint, &network_address).invoke_with_program(token_program.address())?;
    events::Initialized(&network_address, mint.address());
    Ok(())
}

/// Authority, releaser, co-signers, admins and guardians. One admin can never be enough, and the authority cannot attest its own roots.
fn read_keys(state: &mut Network, from: &mut Reader) -> Result<(), ProgramError> {
    state.authority = from.address()?;
    state.releaser = from.address()?;
    state.cosigners = KeySet::read(from)?;
    state.admins = admins(from)?;
    state.guardians = KeySet::read(from)?;
    let alone = state.cosigners.position(state.authority.as_array()).is_some();
    require(!alone, Refusal::BadKeySet)
}
