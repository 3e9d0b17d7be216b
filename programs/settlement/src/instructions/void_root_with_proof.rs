//! Takes back a pending root that gives an index less than the orchestrator itself signed as released to it.
//!
//! Accounts: network, instructions sysvar. The instruction just before verifies the releaser's signature over the released total,
//! which is the first part of the arguments.
//! Who: anybody who holds the signed total.
//! Wrong: no root is pending; the total is of a later epoch; the leaf is not in the root; it is not below the total.
use crate::{
    error::{require, Refusal},
    events,
    merkle::{empty_leaf_hash, is_under, worker_leaf_hash, WorkerLeaf},
    reader::Reader,
    signatures::each_signer,
    state::{account::load_mut, network::Network, root::Root},
    statement::{ReleasedTotal, RELEASED_LENGTH, RELEASED_TAG},
};
use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], arguments: &mut Reader) -> ProgramResult {
    let [network, instructions, ..] = accounts else {
        return Err(Refusal::MissingAccount.into());
    };
    let network_address = *network.address();
    let books: &mut Network = load_mut(network, program)?;
    let released = ReleasedTotal::read(arguments)?;
    let addressed =
        &released.tag == RELEASED_TAG && released.network == network_address && &released.program == program;
    require(addressed, Refusal::WrongStatement)?;
    books.turn()?;
    require(books.pending.epoch != 0, Refusal::NoPendingRoot)?;
    require(released.epoch <= books.pending.epoch, Refusal::WrongEpoch)?;
    check_releaser(books, instructions, arguments.whole())?;
    let earned = earned_in(&books.pending, (&network_address, released.index), arguments)?;
    require(earned < released.earned, Refusal::NotBelowReleased)?;

    let epoch = books.pending.epoch;
    books.pending = Root::NONE;
    events::RootVoided(epoch, 1);
    Ok(())
}

fn check_releaser(books: &Network, instructions: &AccountView, arguments: &[u8]) -> Result<(), ProgramError> {
    let signed = arguments.get(..RELEASED_LENGTH).ok_or(Refusal::BadArguments)?;
    each_signer(instructions, signed, &mut |key| {
        require(key == books.releaser.as_array(), Refusal::BadSignatures)
    })
}

/// What a root says an index has earned, proven: nothing when its leaf is empty or its index beyond the tree.
fn earned_in(root: &Root, (network, index): (&Address, u32), arguments: &mut Reader) -> Result<u64, ProgramError> {
    let (hash, earned) = if arguments.u8()? == 0 {
        (empty_leaf_hash(), 0)
    } else {
        let payee = arguments.array::<32>()?;
        let (earned, slashed) = (arguments.u64()?, arguments.u64()?);
        (
            worker_leaf_hash(
                network.as_array(),
                &WorkerLeaf {
                    index,
                    payee,
                    earned,
                    slashed,
                },
            ),
            earned,
        )
    };
    let proof = arguments.hashes()?;
    arguments.finish()?;
    if index >> root.worker_depth != 0 {
        return Ok(0);
    }
    require(proof.len() == usize::from(root.worker_depth), Refusal::BadProof)?;
    require(is_under(&root.worker_root, hash, index, proof), Refusal::BadProof)?;
    Ok(earned)
}
