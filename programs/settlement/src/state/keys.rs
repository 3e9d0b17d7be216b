use crate::{
    error::{require, Refusal},
    reader::Reader,
};
use pinocchio::{error::ProgramError, Address};

pub const MAX_KEYS: usize = 8;

/// Some keys, of which `threshold` must agree.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct KeySet {
    pub threshold: u8,
    pub count: u8,
    pub keys: [Address; MAX_KEYS],
}

impl KeySet {
    /// Reads `threshold` and a vector of keys. Refused when keys repeat or are zero, or the threshold is zero or beyond them.
    pub fn read(from: &mut Reader) -> Result<Self, ProgramError> {
        let threshold = from.u8()?;
        let keys = from.hashes()?;
        let count = u8::try_from(keys.len()).map_err(|_| Refusal::BadKeySet)?;
        require(
            keys.len() <= MAX_KEYS && threshold > 0 && threshold <= count,
            Refusal::BadKeySet,
        )?;
        let mut set = KeySet {
            threshold,
            count,
            keys: [const { Address::new_from_array([0; 32]) }; MAX_KEYS],
        };
        for (at, (slot, key)) in set.keys.iter_mut().zip(keys).enumerate() {
            let repeats = keys.iter().take(at).any(|other| other == key);
            require(!repeats && key != &[0; 32], Refusal::BadKeySet)?;
            *slot = Address::new_from_array(*key);
        }
        Ok(set)
    }

    /// The place of a key in the set.
    pub fn position(&self, key: &[u8; 32]) -> Option<usize> {
        self.keys
            .iter()
            .take(usize::from(self.count))
            .position(|held| held.as_array() == key)
    }
}
