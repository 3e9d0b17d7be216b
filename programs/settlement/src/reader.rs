use crate::error::Refusal;
use pinocchio::{error::ProgramError, Address};

/// Reads borsh arguments in order; every short read is refused.
pub struct Reader<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(whole: &'a [u8]) -> Self {
        Reader { whole, rest: whole }
    }

    /// The arguments behind the eight bytes that name the instruction.
    pub fn after_discriminator(data: &'a [u8]) -> Self {
        Reader::new(data.get(8..).unwrap_or(&[]))
    }

    /// The arguments as they were given, read or not.
    pub fn whole(&self) -> &'a [u8] {
        self.whole
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], ProgramError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Refusal::BadArguments)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline(always)]
    pub fn u8(&mut self) -> Result<u8, ProgramError> {
        Ok(self.array::<1>()?[0])
    }

    #[inline(always)]
    pub fn u32(&mut self) -> Result<u32, ProgramError> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    #[inline(always)]
    pub fn u64(&mut self) -> Result<u64, ProgramError> {
        Ok(u64::from_le_bytes(*self.array()?))
    }

    #[inline(always)]
    pub fn address(&mut self) -> Result<Address, ProgramError> {
        Ok(Address::new_from_array(*self.array()?))
    }

    /// A vector of hashes, as they lie in the arguments.
    pub fn hashes(&mut self) -> Result<&'a [[u8; 32]], ProgramError> {
        let count = usize::try_from(self.u32()?).map_err(|_| Refusal::BadArguments)?;
        let length = count.checked_mul(32).ok_or(Refusal::BadArguments)?;
        let bytes = self.rest.get(..length).ok_or(Refusal::BadArguments)?;
        self.rest = self.rest.get(length..).unwrap_or(&[]);
        Ok(bytes.as_chunks::<32>().0)
    }

    /// Refuses arguments that go on after the last one.
    pub fn finish(&self) -> Result<(), ProgramError> {
        crate::error::require(self.rest.is_empty(), Refusal::BadArguments)
    }
}
