//! Tidemill's settlement: workers claim what a root over lifetime totals says they have earned, submitters deposit and
//! withdraw, workers stake. Anchor's wire format on pinocchio; the IDL lies in `programs/client`.
//! This file is the dispatch and nothing else: each instruction has a file, opened by who may call it and what can go wrong.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

extern crate alloc;

#[cfg(target_arch = "bpf")]
mod builtins;
mod discriminator;
mod error;
mod events;
mod instructions;
pub mod merkle;
mod payments;
mod reader;
mod runtime;
mod seeds;
mod signatures;
mod state;
pub mod statement;
mod token;

use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    use pinocchio::{default_allocator, nostd_panic_handler, program_entrypoint};
    // The largest instruction is claim_batch: 4 accounts and a token account for each of 64 workers.
    program_entrypoint!(super::process_instruction, 72);
    default_allocator!();
    nostd_panic_handler!();
}

macro_rules! dispatch {
    ($($name:ident)*) => {
        /// Hands the accounts and arguments to the instruction that the first eight bytes name.
        pub fn process_instruction(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
            let Some((name, _)) = data.split_first_chunk::<8>() else {
                return Err(FALLBACK_NOT_FOUND);
            };
            let mut arguments = reader::Reader::after_discriminator(data);
            $(
                if *name == const { discriminator::of(concat!("global:", stringify!($name))) } {
                    return instructions::$name::process(program, accounts, &mut arguments);
                }
            )*
            Err(FALLBACK_NOT_FOUND)
        }
    };
}

/// Anchor's InstructionFallbackNotFound.
const FALLBACK_NOT_FOUND: ProgramError = ProgramError::Custom(101);

dispatch! {
    claim claim_batch deposit withdraw request_withdrawal post_root void_root void_root_with_proof
    stake request_unstake withdraw_stake add_page initialize
    propose approve execute execute_slash execute_treasury pause
}
