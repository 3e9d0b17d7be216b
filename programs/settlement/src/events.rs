//! What indexers see: each event is its discriminator and its fields in the order of the IDL.
use crate::{discriminator, runtime};
use alloc::vec::Vec;

/// A field of an event, in borsh.
pub trait Field {
    fn write(&self, to: &mut Vec<u8>);
}

macro_rules! integer_fields {
    ($($type:ty)*) => {
        $(impl Field for $type {
            fn write(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}
integer_fields!(u8 u32 u64);

impl Field for &[u8; 32] {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(*self);
    }
}

impl Field for &pinocchio::Address {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.as_ref());
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident($($field:ident: $type:ty),*);)*) => {
        $(
            $(#[$doc])*
            pub fn $name($($field: $type),*) {
                let mut event = Vec::with_capacity(160);
                event.extend_from_slice(&const { discriminator::of(concat!("event:", stringify!($name))) });
                $($field.write(&mut event);)*
                runtime::emit(&event);
            }
        )*
    };
}

#[allow(non_snake_case)]
mod emitters {
    use super::*;
    use pinocchio::Address;

    events! {
        Initialized(network: &Address, mint: &Address);
        Deposited(submitter: &Address, amount: u64, deposited: u64);
        WithdrawalRequested(submitter: &Address, amount: u64, slot: u64);
        Withdrawn(submitter: &Address, amount: u64, withdrawn: u64);
        PageAdded(page: u32);
        RootPosted(epoch: u64, activation_slot: u64, statement_hash: &[u8; 32]);
        RootVoided(epoch: u64, by_proof: u8);
        Claimed(index: u32, payee: &Address, amount: u64);
        BatchClaimed(start: u32, height: u8, amount: u64);
        Staked(worker: &Address, amount: u64, staked: u64);
        UnstakeRequested(worker: &Address, amount: u64, unbonded_slot: u64);
        StakeWithdrawn(worker: &Address, amount: u64);
        Slashed(worker: &Address, amount: u64);
        Proposed(number: u64, digest: &[u8; 32]);
        Approved(number: u64, approver: &Address, ready_slot: u64);
        Executed(number: u64, digest: &[u8; 32]);
        Paused(guardian: &Address);
    }
}
pub use emitters::*;
