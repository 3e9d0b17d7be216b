//! One file for each kind of account.
pub mod account;
pub mod action;
pub mod keys;
pub mod network;
pub mod page;
pub mod proposal;
pub mod root;
pub mod stake;
pub mod submitter;
