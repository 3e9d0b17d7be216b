use super::{
    keys::KeySet,
    network::{Caps, Parameters},
};
use crate::{
    error::{require, Refusal},
    reader::Reader,
};
use pinocchio::{error::ProgramError, Address};

/// Where withdrawn treasury comes from.
#[derive(Clone, Copy, PartialEq)]
pub enum Source {
    Fees,
    SlashedStake,
}

/// What only the admins together can do. The order is the numbering of the IDL's enum.
pub enum Action {
    SetParameters(Parameters),
    SetCaps(Caps),
    Unpause,
    /// The keys that submit roots and sign released totals.
    SetOperators {
        authority: Address,
        releaser: Address,
    },
    SetCosigners(KeySet),
    SetAdmins(KeySet),
    SetGuardians(KeySet),
    Slash {
        worker: Address,
        amount: u64,
    },
    /// Pays fees or slashed stake to a token account.
    Treasury {
        source: Source,
        amount: u64,
        destination: Address,
    },
}

impl Action {
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        Ok(match from.u8()? {
            0 => Action::SetParameters(Parameters::read(from)?),
            1 => Action::SetCaps(Caps::read(from)?),
            2 => Action::Unpause,
            3 => Action::SetOperators {
                authority: from.address()?,
                releaser: from.address()?,
            },
            4 => Action::SetCosigners(KeySet::read(from)?),
            5 => Action::SetAdmins(admins(from)?),
            6 => Action::SetGuardians(KeySet::read(from)?),
            7 => Action::Slash {
                worker: from.address()?,
                amount: positive(from)?,
            },
            8 => Action::Treasury {
                source: source(from)?,
                amount: positive(from)?,
                destination: from.address()?,
            },
            _ => return Err(Refusal::WrongAction.into()),
        })
    }
}

/// One admin can never be enough: a proposer does not approve its own proposal.
pub fn admins(from: &mut Reader) -> Result<KeySet, ProgramError> {
    let set = KeySet::read(from)?;
    require(set.threshold < set.count, Refusal::BadKeySet)?;
    Ok(set)
}

fn positive(from: &mut Reader) -> Result<u64, ProgramError> {
    let amount = from.u64()?;
    require(amount > 0, Refusal::ZeroAmount)?;
    Ok(amount)
}

fn source(from: &mut Reader) -> Result<Source, ProgramError> {
    match from.u8()? {
        0 => Ok(Source::Fees),
        1 => Ok(Source::SlashedStake),
        _ => Err(Refusal::WrongAction.into()),
    }
}
