//! Payments out of a vault, signed by the network's address, which owns it.
use crate::{
    state::{
        account::load,
        network::{signer_seeds, Network},
    },
    token::{self, TOKEN},
};
use alloc::vec::Vec;
use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

/// The token program's instructions, by number: a batch of others, and a transfer.
const BATCH: u8 = 255;
const TRANSFER: u8 = 3;
/// A transfer within a batch: how many accounts and bytes it takes, then those bytes.
const TRANSFER_ACCOUNTS: u8 = 3;
const TRANSFER_BYTES: u8 = 9;
const BATCHED_BYTES: usize = 11;

/// Where a payment comes from, and the token program that makes it.
pub struct Payer<'a> {
    pub network: &'a AccountView,
    pub vault: &'a AccountView,
    pub token_program: &'a AccountView,
}

impl Payer<'_> {
    /// Pays one token account.
    #[inline(always)]
    pub fn pay(&self, program: &Address, destination: &AccountView, amount: u64) -> ProgramResult {
        self.signed(program, |signers| {
            let token_program = (self.token_program.address(), signers);
            token::transfer(self.vault, destination, self.network, amount, token_program)
        })
    }

    /// Pays many, in one call where the token program takes batches: a call costs more than ten transfers.
    pub fn pay_all(&self, program: &Address, payees: &[AccountView], amounts: &[u64]) -> ProgramResult {
        let due = || payees.iter().zip(amounts).filter(|(_, amount)| **amount > 0);
        if self.token_program.address() != &TOKEN {
            for (payee, amount) in due() {
                self.pay(program, payee, *amount)?;
            }
            return Ok(());
        }
        let mut data = Vec::with_capacity(1 + amounts.len() * BATCHED_BYTES);
        let mut metas = Vec::with_capacity(amounts.len() * usize::from(TRANSFER_ACCOUNTS));
        let mut infos = Vec::with_capacity(amounts.len() + 2);
        data.push(BATCH);
        infos.push(CpiAccount::from(self.vault));
        infos.push(CpiAccount::from(self.network));
        for (payee, amount) in due() {
            data.extend_from_slice(&[TRANSFER_ACCOUNTS, TRANSFER_BYTES, TRANSFER]);
            data.extend_from_slice(&amount.to_le_bytes());
            metas.push(InstructionAccount::writable(self.vault.address()));
            metas.push(InstructionAccount::writable(payee.address()));
            metas.push(InstructionAccount::readonly_signer(self.network.address()));
            infos.push(CpiAccount::from(payee));
        }
        if metas.is_empty() {
            return Ok(());
        }
        let batch = InstructionView {
            program_id: &TOKEN,
            accounts: &metas,
            data: &data,
        };
        self.signed(program, |signers| {
            // SAFETY: nothing borrows the data of the accounts during the call; the states that were loaded are loaded anew.
            unsafe { invoke_signed_unchecked(&batch, &infos, signers) };
            Ok(())
        })
    }

    #[inline(always)]
    fn signed(&self, program: &Address, call: impl FnOnce(&[Signer]) -> ProgramResult) -> ProgramResult {
        let books: &Network = load(self.network, program)?;
        // Copied, for nothing of the network may be borrowed while it signs.
        let (initializer, genesis_hash, bump) = (books.initializer, books.genesis_hash, [books.bump]);
        call(&[Signer::from(&signer_seeds(&initializer, &genesis_hash, &bump))])
    }
}
