use crate::error::{require, Refusal};
use pinocchio::{cpi::Signer, error::ProgramError, AccountView, Address, ProgramResult};
use pinocchio_token::instructions::Transfer;

pub const TOKEN: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
pub const TOKEN_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Bytes of a token account without extensions.
pub const TOKEN_ACCOUNT_BYTES: usize = 165;
const MINT_BYTES: usize = 82;
/// The extensions of Token-2022 that only describe a mint. Every other one could change amounts, block a transfer or take
/// tokens back, so a mint with it is refused.
const DESCRIPTIVE: [u16; 6] = [18, 19, 20, 21, 22, 23];

/// What is read of a token account, where it lies.
pub struct TokenAccount<'a> {
    pub mint: &'a Address,
    pub owner: &'a Address,
    pub amount: u64,
}

/// A token account begins with its mint and owner, then comes the amount.
#[repr(C)]
struct Layout {
    mint: Address,
    owner: Address,
    amount: [u8; 8],
}

/// Refuses what is not an initialized, unfrozen token account of this token program.
#[inline(always)]
pub fn token_account<'a>(account: &'a AccountView, program: &Address) -> Result<TokenAccount<'a>, ProgramError> {
    require(account.owned_by(program), Refusal::WrongTokenAccount)?;
    // SAFETY: the data is read before the next call of the token program and read anew after it; nothing here writes it.
    let data = unsafe { account.borrow_unchecked() };
    // A mint of Token-2022 with extensions is longer than a token account, and says so in this byte.
    let is_account = data.len() == TOKEN_ACCOUNT_BYTES || data.get(TOKEN_ACCOUNT_BYTES) == Some(&2);
    let initialized = data.get(108) == Some(&1);
    require(is_account && initialized, Refusal::WrongTokenAccount)?;
    // SAFETY: the layout is bytes only, 72 of them, and the data is at least 165 long.
    let layout = unsafe { &*account.data_ptr().cast::<Layout>() };
    Ok(TokenAccount {
        mint: &layout.mint,
        owner: &layout.owner,
        amount: u64::from_le_bytes(layout.amount),
    })
}

/// Refuses a mint that is not initialized, or whose extensions could change what a transfer moves.
pub fn check_mint(mint: &AccountView, program: &AccountView) -> Result<(), ProgramError> {
    let known = program.address() == &TOKEN || program.address() == &TOKEN_2022;
    require(known, Refusal::WrongTokenProgram)?;
    require(mint.owned_by(program.address()), Refusal::MintRefused)?;
    let data = mint.try_borrow()?;
    require(data.get(45) == Some(&1), Refusal::MintRefused)?;
    if data.len() == MINT_BYTES {
        return Ok(());
    }
    // Padded to a token account's length, then one byte that says "mint", then type, length and value of each extension.
    require(data.get(TOKEN_ACCOUNT_BYTES) == Some(&1), Refusal::MintRefused)?;
    let mut rest = data.get(TOKEN_ACCOUNT_BYTES + 1..).unwrap_or(&[]);
    while let Some((kind, after)) = rest.split_first_chunk::<2>() {
        let kind = u16::from_le_bytes(*kind);
        if kind == 0 {
            break;
        }
        require(DESCRIPTIVE.contains(&kind), Refusal::MintRefused)?;
        let (length, after) = after.split_first_chunk::<2>().ok_or(Refusal::MintRefused)?;
        let length = usize::from(u16::from_le_bytes(*length));
        rest = after.get(length..).ok_or(Refusal::MintRefused)?;
    }
    Ok(())
}

/// Moves tokens; `authority` signs the transaction or is the program's own address, whose seeds `signers` hold.
#[inline(always)]
pub fn transfer(
    from: &AccountView,
    to: &AccountView,
    authority: &AccountView,
    amount: u64,
    (program, signers): (&Address, &[Signer]),
) -> ProgramResult {
    Transfer::new(from, to, authority, amount).invoke_signed_with_program(signers, program)
}
