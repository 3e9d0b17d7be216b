//! Seeds of the program's addresses, as `SETTLEMENT_SEEDS` of the protocol has them.
pub const NETWORK: &[u8] = b"network";
pub const VAULT: &[u8] = b"vault";
pub const STAKE_VAULT: &[u8] = b"stake-vault";
pub const PAGE: &[u8] = b"page";
pub const SUBMITTER: &[u8] = b"submitter";
pub const STAKE: &[u8] = b"stake";
pub const PROPOSAL: &[u8] = b"proposal";
