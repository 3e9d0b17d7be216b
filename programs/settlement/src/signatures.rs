use crate::error::{require, Refusal};
use pinocchio::{error::ProgramError, sysvars::instructions::Instructions, AccountView, Address};

const ED25519: Address = Address::from_str_const("Ed25519SigVerify111111111111111111111111111");
/// Where a signature's parts lie: seven numbers of two bytes.
const OFFSETS: usize = 14;
/// "This very instruction", in place of an instruction's number.
const SELF: usize = 0xffff;

/// Hands every key to `each` that the ed25519 instruction just before this one has verified over exactly `message`.
/// Refused when there is no such instruction, or when it verified anything else: keys and signatures must lie in it, the
/// message in it or in an instruction of the same transaction.
pub fn each_signer(
    instructions: &AccountView,
    message: &[u8],
    each: &mut impl FnMut(&[u8; 32]) -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    let sysvar = Instructions::try_from(instructions).map_err(|_| Refusal::WrongAddress)?;
    let before = sysvar
        .get_instruction_relative(-1)
        .map_err(|_| Refusal::BadSignatures)?;
    require(before.get_program_id() == &ED25519, Refusal::BadSignatures)?;
    let data = before.get_instruction_data();
    let count = usize::from(*data.first().ok_or(Refusal::BadSignatures)?);
    require(count > 0, Refusal::BadSignatures)?;
    for at in 0..count {
        let from = 2 + at * OFFSETS;
        let signature_in = number(data, from + 2)?;
        let (key_at, key_in) = (number(data, from + 4)?, number(data, from + 6)?);
        let (message_at, length) = (number(data, from + 8)?, number(data, from + 10)?);
        let message_in = number(data, from + 12)?;
        require(signature_in == SELF && key_in == SELF, Refusal::BadSignatures)?;
        let is_over_message = |holder: &[u8]| holder.get(message_at..message_at + length) == Some(message);
        let signed = if message_in == SELF {
            is_over_message(data)
        } else {
            let other = sysvar
                .load_instruction_at(message_in)
                .map_err(|_| Refusal::BadSignatures)?;
            is_over_message(other.get_instruction_data())
        };
        require(signed, Refusal::BadSignatures)?;
        let key = data
            .get(key_at..)
            .and_then(|rest| rest.first_chunk())
            .ok_or(Refusal::BadSignatures)?;
        each(key)?;
    }
    Ok(())
}

fn number(data: &[u8], at: usize) -> Result<usize, ProgramError> {
    let bytes = data
        .get(at..)
        .and_then(|rest| rest.first_chunk::<2>())
        .ok_or(Refusal::BadSignatures)?;
    Ok(usize::from(u16::from_le_bytes(*bytes)))
}
