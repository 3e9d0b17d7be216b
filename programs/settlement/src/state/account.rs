use crate::error::{require, Refusal};
use core::mem::size_of;
use pinocchio::{
    cpi::{Seed, Signer},
    error::ProgramError,
    AccountView, Address,
};

/// The body of an account of this program, behind its discriminator of eight bytes.
///
/// # Safety
/// Implemented only by `repr(C)` structs of integers and byte arrays without padding, for which every bit pattern is valid,
/// with an alignment of at most eight: the runtime aligns account data to eight bytes, and the body begins at the eighth.
pub unsafe trait Body: Sized {
    const DISCRIMINATOR: [u8; 8];
    const BYTES: usize = 8 + size_of::<Self>();
}

/// Reads an account of this program. Refused when another program owns it or it is of another kind.
#[inline(always)]
pub fn load<'a, T: Body>(account: &'a AccountView, program: &Address) -> Result<&'a T, ProgramError> {
    check::<T>(account, program)?;
    // SAFETY: the length and kind were checked and `Body` allows every bit pattern. Accounts of two kinds are never one, and
    // no instruction loads two of a kind, so nobody writes while this lives; calls into other programs end the borrow first.
    Ok(unsafe { &*account.data_ptr().add(8).cast::<T>() })
}

/// As `load`, to be changed.
#[inline(always)]
pub fn load_mut<'a, T: Body>(account: &'a mut AccountView, program: &Address) -> Result<&'a mut T, ProgramError> {
    check::<T>(account, program)?;
    // SAFETY: as in `load`; the exclusive borrow of the view keeps this the only one through it.
    Ok(unsafe { &mut *account.data_mut_ptr().add(8).cast::<T>() })
}

#[inline(always)]
fn check<T: Body>(account: &AccountView, program: &Address) -> Result<(), ProgramError> {
    require(account.owned_by(program), Refusal::WrongAccount)?;
    require(account.data_len() == T::BYTES, Refusal::WrongAccount)?;
    // SAFETY: nobody writes while the eight bytes are compared.
    let data = unsafe { account.borrow_unchecked() };
    require(data.first_chunk() == Some(&T::DISCRIMINATOR), Refusal::WrongAccount)
}

/// What is created, and where: at the address of the seeds under `program`, as an account of `owner`.
pub struct Plan<'a, const N: usize> {
    pub program: &'a Address,
    pub owner: &'a Address,
    pub bytes: usize,
    pub seeds: [&'a [u8]; N],
}

/// Creates an account of this program at the address of its seeds, all zero behind the discriminator. An address that
/// somebody has sent lamports to is no obstacle; one that is in use is refused.
#[inline(always)]
pub fn create<'a, T: Body>(
    account: &'a mut AccountView,
    payer: &AccountView,
    program: &Address,
    seeds: [&[u8]; 3],
) -> Result<(&'a mut T, u8), ProgramError> {
    let bump = create_at(
        account,
        payer,
        &Plan {
            program,
            owner: program,
            bytes: T::BYTES,
            seeds,
        },
    )?;
    account.try_borrow_mut()?[..8].copy_from_slice(&T::DISCRIMINATOR);
    Ok((load_mut(account, program)?, bump))
}

/// Allocates what is planned and gives the bump of its address.
#[inline(never)]
pub fn create_at<const N: usize>(
    account: &mut AccountView,
    payer: &AccountView,
    plan: &Plan<N>,
) -> Result<u8, ProgramError> {
    require(payer.is_signer(), Refusal::MissingSignature)?;
    let (address, bump) = Address::find_program_address(&plan.seeds, plan.program);
    require(account.address() == &address, Refusal::WrongAddress)?;
    require(
        account.owned_by(&pinocchio_system::ID) && account.is_data_empty(),
        Refusal::AlreadyExists,
    )?;
    let bump_seed = [bump];
    // At most three seeds and the bump; an empty seed adds nothing.
    let seeds: [Seed; 4] = core::array::from_fn(|at| match plan.seeds.get(at) {
        Some(seed) => Seed::from(*seed),
        None if at == N => Seed::from(bump_seed.as_slice()),
        None => Seed::from([].as_slice()),
    });
    pinocchio_system::create_account_with_minimum_balance_signed(
        account,
        plan.bytes,
        plan.owner,
        payer,
        None,
        &[Signer::from(&seeds)],
    )?;
    Ok(bump)
}

/// Whether an account exists as one of this program.
pub fn exists(account: &AccountView, program: &Address) -> bool {
    account.owned_by(program)
}
