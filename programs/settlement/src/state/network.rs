use super::{account::Body, keys::KeySet, root::Root};
use crate::{
    discriminator,
    error::{require, Refusal},
    reader::Reader,
    token::TokenAccount,
};
use pinocchio::{
    cpi::Seed,
    error::ProgramError,
    sysvars::{clock::Clock, Sysvar},
    AccountView, Address,
};

/// Times of the network, in slots, and the fee for opening a payee's token account, in base units.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Parameters {
    /// How long a posted root waits before it counts.
    pub challenge_slots: u64,
    pub unbonding_slots: u64,
    /// How long an approved proposal waits before it may be executed.
    pub timelock_slots: u64,
    /// How long a proposal gathers approvals, and how long an approved one may be executed.
    pub approval_slots: u64,
    /// Without a new root for so long, a withdrawal no longer waits for one.
    pub stale_slots: u64,
    /// Booked once by the ledger; the program only keeps it for everybody to see.
    pub account_opening_fee: u64,
}

impl Parameters {
    /// Refused when a slash could come after the stake has gone.
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        let read = Parameters {
            challenge_slots: from.u64()?,
            unbonding_slots: from.u64()?,
            timelock_slots: from.u64()?,
            approval_slots: from.u64()?,
            stale_slots: from.u64()?,
            account_opening_fee: from.u64()?,
        };
        let slash_takes = read
            .timelock_slots
            .checked_add(read.approval_slots)
            .ok_or(Refusal::BadParameters)?;
        let sound = read.challenge_slots > 0
            && read.approval_slots > 0
            && read.unbonding_slots >= slash_takes
            && read.stale_slots > read.challenge_slots;
        require(sound, Refusal::BadParameters)?;
        Ok(read)
    }
}

/// The circuit breaker: how much the earned and refunded totals may grow within a window.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Caps {
    pub window_slots: u64,
    /// The most, in base units, whatever the network's size.
    pub growth_limit: u64,
    /// Growth up to here is never too much relatively, or a small network could not begin.
    pub relative_floor: u64,
    /// Above the floor: the most in ten-thousandths of what was earned when the window began.
    pub growth_bps: u64,
}

impl Caps {
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        let read = Caps {
            window_slots: from.u64()?,
            growth_limit: from.u64()?,
            relative_floor: from.u64()?,
            growth_bps: from.u64()?,
        };
        require(read.window_slots > 0 && read.growth_limit > 0, Refusal::BadParameters)?;
        Ok(read)
    }

    /// The most that may be earned and refunded in a window that began with `earned`, rounded down.
    pub fn limit(&self, earned: u64) -> u64 {
        let relative = u128::from(earned) * u128::from(self.growth_bps) / 10_000;
        let relative = u64::try_from(relative).unwrap_or(u64::MAX);
        self.growth_limit.min(relative.max(self.relative_floor))
    }
}

/// A network: its keys, its books and its two roots. The owner of both vaults.
#[repr(C)]
pub struct Network {
    pub initializer: Address,
    pub genesis_hash: [u8; 32],
    pub mint: Address,
    pub token_program: Address,
    pub vault: Address,
    pub stake_vault: Address,
    /// Submits roots; co-signers attest them.
    pub authority: Address,
    /// Signs released totals.
    pub releaser: Address,
    pub deposited: u64,
    pub withdrawn: u64,
    pub paid: u64,
    pub fees_withdrawn: u64,
    pub staked: u64,
    pub unbonding: u64,
    pub slashed_stake: u64,
    pub parameters: Parameters,
    pub caps: Caps,
    pub window_start: u64,
    /// What had been earned and refunded when the window began.
    pub window_base: u64,
    /// The number of the last posted root; one that was voided is not used again.
    pub last_epoch: u64,
    pub proposals: u64,
    /// Raised when the admins change: what was approved under others no longer counts.
    pub generation: u64,
    pub active: Root,
    pub pending: Root,
    pub cosigners: KeySet,
    pub admins: KeySet,
    pub guardians: KeySet,
    pub paused: u8,
    pub bump: u8,
}

// SAFETY: integers and bytes in an order that needs no padding, which `BYTES` proves below.
unsafe impl Body for Network {
    const DISCRIMINATOR: [u8; 8] = discriminator::of("account:Network");
}
const _: () = assert!(Network::BYTES == 8 + 8 * 32 + 7 * 8 + 6 * 8 + 4 * 8 + 5 * 8 + 2 * 256 + 3 * 258 + 2);

/// How many tokens a vault holds beyond the books: what strangers have sent to it unasked. No instruction may change it.
#[derive(Clone, Copy, PartialEq)]
pub struct Surplus(u64);

impl Network {
    /// Lets a pending root whose window has passed take the active one's place. Gives the current slot.
    #[inline(always)]
    pub fn turn(&mut self) -> Result<u64, ProgramError> {
        let slot = Clock::get()?.slot;
        if self.pending.epoch != 0 && slot >= self.pending.activation_slot {
            self.active = self.pending;
            self.pending = Root::NONE;
        }
        Ok(slot)
    }

    pub fn require_running(&self) -> Result<(), ProgramError> {
        require(self.paused == 0, Refusal::Paused)
    }

    pub fn require_guardian(&self, guardian: &AccountView) -> Result<(), ProgramError> {
        require(guardian.is_signer(), Refusal::MissingSignature)?;
        require(
            self.guardians.position(guardian.address().as_array()).is_some(),
            Refusal::NotGuardian,
        )
    }

    /// The place of an admin who signed.
    pub fn require_admin(&self, admin: &AccountView) -> Result<usize, ProgramError> {
        require(admin.is_signer(), Refusal::MissingSignature)?;
        self.admins
            .position(admin.address().as_array())
            .ok_or(Refusal::NotAdmin.into())
    }

    /// What the vault must hold by the books (G8).
    pub fn vault_book(&self) -> Result<u64, ProgramError> {
        self.deposited
            .checked_sub(self.withdrawn)
            .and_then(|rest| rest.checked_sub(self.paid))
            .and_then(|rest| rest.checked_sub(self.fees_withdrawn))
            .ok_or(Refusal::ConservationBroken.into())
    }

    /// What the stake vault must hold by the books (G8).
    pub fn stake_book(&self) -> Result<u64, ProgramError> {
        self.staked
            .checked_add(self.unbonding)
            .and_then(|sum| sum.checked_add(self.slashed_stake))
            .ok_or(Refusal::ConservationBroken.into())
    }

    /// What the vault holds beyond the books. Refused when it holds less, or is not the network's.
    #[inline(always)]
    pub fn vault_surplus(&self, vault: &AccountView) -> Result<Surplus, ProgramError> {
        require(vault.address() == &self.vault, Refusal::WrongAddress)?;
        surplus(
            &crate::token::token_account(vault, &self.token_program)?,
            self.vault_book()?,
        )
    }

    #[inline(always)]
    pub fn stake_surplus(&self, stake_vault: &AccountView) -> Result<Surplus, ProgramError> {
        require(stake_vault.address() == &self.stake_vault, Refusal::WrongAddress)?;
        surplus(
            &crate::token::token_account(stake_vault, &self.token_program)?,
            self.stake_book()?,
        )
    }

    /// The end of every instruction that moves tokens through the vault: what moved is what the books say moved (G8).
    #[inline(always)]
    pub fn invariant(&self, vault: &AccountView, before: Surplus) -> Result<(), ProgramError> {
        require(self.vault_surplus(vault)? == before, Refusal::ConservationBroken)
    }

    /// As `invariant`, for the vault of stakes.
    pub fn stake_invariant(&self, stake_vault: &AccountView, before: Surplus) -> Result<(), ProgramError> {
        require(self.stake_surplus(stake_vault)? == before, Refusal::ConservationBroken)
    }

    /// Refuses a token account that is not of the network's mint and of `owner`.
    #[inline(always)]
    pub fn require_destination(&self, account: &AccountView, owner: &Address) -> Result<(), ProgramError> {
        let destination = crate::token::token_account(account, &self.token_program)?;
        let right = destination.mint == &self.mint && destination.owner == owner;
        require(right, Refusal::WrongTokenAccount)
    }

    pub fn require_token_program(&self, program: &AccountView) -> Result<(), ProgramError> {
        require(program.address() == &self.token_program, Refusal::WrongTokenProgram)
    }
}

#[inline(always)]
fn surplus(held: &TokenAccount, book: u64) -> Result<Surplus, ProgramError> {
    held.amount
        .checked_sub(book)
        .map(Surplus)
        .ok_or(Refusal::ConservationBroken.into())
}

/// The seeds that a network's address signs with.
#[inline(always)]
pub fn signer_seeds<'a>(initializer: &'a Address, genesis_hash: &'a [u8; 32], bump: &'a [u8; 1]) -> [Seed<'a>; 4] {
    [
        Seed::from(crate::seeds::NETWORK),
        Seed::from(initializer.as_ref()),
        Seed::from(genesis_hash.as_slice()),
        Seed::from(bump.as_slice()),
    ]
}
