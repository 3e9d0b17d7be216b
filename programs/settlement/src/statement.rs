use crate::{merkle::Hash, reader::Reader, state::root::Totals};
use pinocchio::{error::ProgramError, Address};

/// `tidemill/settlement-root/1` and a line feed: what is signed for this means nothing else.
pub const ROOT_TAG: &[u8; 27] = b"tidemill/settlement-root/1\n";
pub const RELEASED_TAG: &[u8; 26] = b"tidemill/released-total/1\n";

/// What co-signers attest of an epoch; its bytes are those of `rootStatementBytes` in the protocol.
pub struct RootStatement {
    pub tag: [u8; 27],
    pub network: Address,
    pub program: Address,
    pub epoch: u64,
    pub sealed_slot: u64,
    pub worker_root: Hash,
    pub worker_depth: u8,
    pub submitter_root: Hash,
    pub submitter_depth: u8,
    pub totals: Totals,
    pub trail_root: Hash,
    pub trail_size: u64,
    pub registry_root: Hash,
}

impl RootStatement {
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        Ok(RootStatement {
            tag: *from.array()?,
            network: from.address()?,
            program: from.address()?,
            epoch: from.u64()?,
            sealed_slot: from.u64()?,
            worker_root: *from.array()?,
            worker_depth: from.u8()?,
            submitter_root: *from.array()?,
            submitter_depth: from.u8()?,
            totals: Totals {
                spent: from.u64()?,
                earned: from.u64()?,
                slashed: from.u64()?,
                refunded: from.u64()?,
                fees: from.u64()?,
                fees_given: from.u64()?,
                dust: from.u64()?,
            },
            trail_root: *from.array()?,
            trail_size: from.u64()?,
            registry_root: *from.array()?,
        })
    }
}

/// What the orchestrator has released to an index by an epoch; its bytes are those of `releasedTotalBytes`.
pub struct ReleasedTotal {
    pub tag: [u8; 26],
    pub network: Address,
    pub program: Address,
    pub epoch: u64,
    pub index: u32,
    pub earned: u64,
}

/// How many bytes of arguments a released total takes.
pub const RELEASED_LENGTH: usize = 26 + 32 + 32 + 8 + 4 + 8;

impl ReleasedTotal {
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        Ok(ReleasedTotal {
            tag: *from.array()?,
            network: from.address()?,
            program: from.address()?,
            epoch: from.u64()?,
            index: from.u32()?,
            earned: from.u64()?,
        })
    }
}
